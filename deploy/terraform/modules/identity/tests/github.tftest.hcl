# Policies are computed without AWS, so they are tested as they are.
provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

variables {
  name              = "graft-test"
  bucket_arns       = { data = "arn:aws:s3:::data", artifacts = "arn:aws:s3:::artifacts" }
  kms_key_arn       = "arn:aws:kms:eu-west-1:111122223333:key/example"
  repository_arns   = ["arn:aws:ecr:eu-west-1:111122223333:repository/example"]
  secret_arns       = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:example"]
  github_repository = "team/project"
  oidc_provider     = { arn = "arn:aws:iam::111122223333:oidc-provider/example", url = "example" }
}

run "each_account_has_only_its_rights" {
  command = plan

  assert {
    condition     = !strcontains(data.aws_iam_policy_document.rights["serving"].json, ":::artifacts")
    error_message = "serving reaches artifacts through MLflow only"
  }
  assert {
    condition     = !strcontains(data.aws_iam_policy_document.rights["watch"].json, "s3:PutObject")
    error_message = "watch only reads"
  }
  assert {
    condition     = alltrue([for one in data.aws_iam_policy_document.rights : !strcontains(one.json, "\"Resource\": \"*\"")])
    error_message = "a right has no resource"
  }
  assert {
    condition     = alltrue([for key, one in data.aws_iam_policy_document.trust : strcontains(one.json, "system:serviceaccount:graft:graft-${key}")])
    error_message = "a role could be taken by another account"
  }
}

run "a_wildcard_repository_is_refused" {
  command         = plan
  expect_failures = [var.github_repository]

  variables {
    github_repository = "team/*"
  }
}

run "github_needs_one_provider" {
  command = plan

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 1
    error_message = "without a provider, nobody could take the role"
  }
}

run "the_provider_of_the_account_is_used_again" {
  command = plan

  variables {
    github_oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "a second provider for the same address would collide"
  }
  assert {
    condition     = strcontains(data.aws_iam_policy_document.github_trust[0].json, var.github_oidc_provider_arn)
    error_message = "the role does not trust the provider"
  }
}

run "another_provider_is_refused" {
  command         = plan
  expect_failures = [var.github_oidc_provider_arn]

  variables {
    github_oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/example.com"
  }
}
