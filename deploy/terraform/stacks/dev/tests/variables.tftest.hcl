# Values that would cost money or safety are refused with a message.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  budget_emails = ["team@example.com"]
  ami_id        = "ami-0123456789abcdef0"
}

run "a_machine_without_gpu_is_refused" {
  command         = plan
  expect_failures = [var.instance_type]

  variables {
    instance_type = "m7i.large"
  }
}

run "an_address_without_at_sign_is_refused" {
  command         = plan
  expect_failures = [var.budget_emails]

  variables {
    budget_emails = ["team.example.com"]
  }
}
