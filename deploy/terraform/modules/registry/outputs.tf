output "urls" {
  description = "Repositories, by target of the Dockerfile."
  value       = { for key, one in aws_ecr_repository.this : key => one.repository_url }
}

output "arns" {
  value = [for one in aws_ecr_repository.this : one.arn]
}
