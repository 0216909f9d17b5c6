mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_eks_cluster" {
    defaults = { identity = [{ oidc = [{ issuer = "https://oidc.example.com/id/1" }] }] }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/example" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::111122223333:oidc-provider/example" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
}

variables {
  name        = "graft-test"
  vpc_id      = "vpc-1"
  subnet_ids  = ["subnet-1", "subnet-2"]
  kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/example"
  pools = {
    system   = { instance_types = ["m7i.large"], min = 1, max = 2 }
    training = { instance_types = ["g6e.2xlarge"], min = 0, max = 2, gpu = true, spot = true }
  }
}

run "gpu_nodes_are_kept_for_pods_that_need_them" {
  command = apply

  assert {
    condition     = one(aws_eks_node_group.this["training"].taint).key == "nvidia.com/gpu" && length(aws_eks_node_group.this["system"].taint) == 0
    error_message = "only GPU nodes have the taint"
  }
  assert {
    condition     = aws_eks_node_group.this["training"].capacity_type == "SPOT"
    error_message = "training is on spot nodes"
  }
  assert {
    condition     = aws_eks_node_group.this["training"].labels["graft/nodes"] == "training"
    error_message = "the manifests select this label"
  }
  assert {
    condition     = alltrue([for one in aws_launch_template.this : one.metadata_options[0].http_put_response_hop_limit == 1])
    error_message = "pods could take the rights of their node"
  }
}

run "the_api_is_private_unless_asked" {
  command = apply

  assert {
    condition     = !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "the API is public"
  }
}

run "an_api_for_everyone_is_refused" {
  command         = plan
  expect_failures = [var.api_cidrs]

  variables {
    api_cidrs = ["0.0.0.0/0"]
  }
}

run "a_gpu_pool_needs_gpus" {
  command         = plan
  expect_failures = [var.pools]

  variables {
    pools = {
      system  = { instance_types = ["m7i.large"], min = 1, max = 2 }
      serving = { instance_types = ["m7i.large"], min = 1, max = 2, gpu = true }
    }
  }
}
