# What each service account may do. MLflow's clients reach artifacts through its server, so
# only that has rights on their bucket.
locals {
  data      = var.bucket_arns["data"]
  artifacts = var.bucket_arns["artifacts"]
  use_key   = { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [var.kms_key_arn] }
  objects   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
  list      = ["s3:ListBucket", "s3:GetBucketLocation"]
  rights = {
    training = [
      { actions = local.list, resources = [local.data] },
      { actions = local.objects, resources = ["${local.data}/dvc/*", "${local.data}/checkpoints/*"] },
      local.use_key,
    ]
    serving = [
      { actions = local.list, resources = [local.data] },
      { actions = local.objects, resources = ["${local.data}/requests/*"] },
      local.use_key,
    ]
    watch = [
      { actions = local.list, resources = [local.data] },
      { actions = ["s3:GetObject"], resources = ["${local.data}/requests/*"] },
      { actions = ["kms:Decrypt"], resources = [var.kms_key_arn] },
    ]
    mlflow = [
      { actions = local.list, resources = [local.artifacts] },
      { actions = local.objects, resources = ["${local.artifacts}/*"] },
      local.use_key,
    ]
    secrets = [
      { actions = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"], resources = var.secret_arns },
      { actions = ["kms:Decrypt"], resources = [var.kms_key_arn] },
    ]
  }
  accounts = var.oidc_provider == null ? {} : local.rights
}

data "aws_iam_policy_document" "trust" {
  for_each = local.accounts

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [var.oidc_provider.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${var.oidc_provider.url}:sub"
      values   = ["system:serviceaccount:${var.namespace}:graft-${each.key}"]
    }

    condition {
      test     = "StringEquals"
      variable = "${var.oidc_provider.url}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "rights" {
  for_each = local.accounts

  dynamic "statement" {
    for_each = each.value

    content {
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
}

resource "aws_iam_role" "this" {
  for_each           = local.accounts
  name               = "${var.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust[each.key].json
}

resource "aws_iam_role_policy" "this" {
  for_each = local.accounts
  name     = "rights"
  role     = aws_iam_role.this[each.key].id
  policy   = data.aws_iam_policy_document.rights[each.key].json
}
