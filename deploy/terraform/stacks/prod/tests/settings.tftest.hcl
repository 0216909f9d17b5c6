# What the stack tells Kubernetes, and what it protects; AWS is a mock.
mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:111122223333:key/example", key_id = "example" }
  }
  mock_resource "aws_efs_file_system" {
    defaults = { id = "fs-0123456789abcdef0" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::111122223333:oidc-provider/example" }
  }
  mock_resource "aws_eks_cluster" {
    defaults = {
      arn      = "arn:aws:eks:eu-west-1:111122223333:cluster/graft-prod"
      identity = [{ oidc = [{ issuer = "https://oidc.example.com/id/1" }] }]
    }
  }
  mock_resource "aws_db_instance" {
    defaults = {
      address            = "database.example.internal"
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!db-example", secret_status = "active", kms_key_id = "example" }]
    }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/example" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::example" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { arn = "arn:aws:ecr:eu-west-1:111122223333:repository/example", repository_url = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/example" }
  }
}

variables {
  budget_emails     = ["team@example.com"]
  github_repository = "team/project"
}

run "settings_name_what_was_made" {
  command = apply

  assert {
    condition     = can(yamldecode(output.kustomization))
    error_message = "the settings are no YAML"
  }
  assert {
    condition     = [for one in yamldecode(output.kustomization).images : one.name] == ["graft-mlflow", "graft-serve", "graft-serve-cpu", "graft-train"]
    error_message = "an image is missing"
  }
  assert {
    condition     = length([for one in yamldecode(output.kustomization).patches : one if one.target.kind == "ServiceAccount"]) == 5
    error_message = "not every service account has its role"
  }
  assert {
    condition     = strcontains(output.kustomization, "fs-0123456789abcdef0") && strcontains(output.kustomization, "secret:rds!db-example")
    error_message = "the file system or the database's secret is missing"
  }
  assert {
    condition     = strcontains(output.env, "GRAFT_S3_URL=s3://")
    error_message = "the address of DVC's remote is missing"
  }
}

run "what_cannot_be_made_again_is_protected" {
  command = apply

  assert {
    condition     = module.database.protected && module.database.multi_az
    error_message = "the database is not protected"
  }
}
