output "env" {
  description = "For .env on the machine; its role has the credentials."
  value       = <<-EOT
    AWS_REGION=${var.region}
    GRAFT_S3_URL=s3://${module.storage.buckets["data"]}/dvc
    MLFLOW_ARTIFACTS_DESTINATION=s3://${module.storage.buckets["artifacts"]}/mlflow
  EOT
}

output "shell" {
  description = "Command that opens a shell on the machine."
  value       = "aws ssm start-session --region ${var.region} --target ${module.machine.instance_id}"
}

output "image_repositories" {
  value = module.registry.urls
}
