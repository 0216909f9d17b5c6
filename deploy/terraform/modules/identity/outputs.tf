output "role_arns" {
  description = "By service account, without its prefix graft-."
  value       = { for key, role in aws_iam_role.this : key => role.arn }
}

output "github_role_arn" {
  description = "Null without github_repository."
  value       = one(aws_iam_role.github[*].arn)
}
