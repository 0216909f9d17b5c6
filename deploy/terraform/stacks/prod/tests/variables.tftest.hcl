# Values that would cost money or safety are refused with a message.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  budget_emails = ["team@example.com"]
}

run "a_budget_needs_a_reader" {
  command         = plan
  expect_failures = [var.budget_emails]

  variables {
    budget_emails = []
  }
}

run "zones_are_in_the_region" {
  command         = plan
  expect_failures = [var.zones]

  variables {
    zones = ["us-east-1a", "us-east-1b"]
  }
}

run "the_tag_latest_is_refused" {
  command         = plan
  expect_failures = [var.image_tag]

  variables {
    image_tag = "latest"
  }
}

run "pools_that_the_manifests_select_exist" {
  command         = plan
  expect_failures = [var.pools]

  variables {
    pools = { system = { instance_types = ["m7i.large"], min = 1, max = 2 } }
  }
}

run "names_fit_buckets" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "Graft_Prod"
  }
}
