output "kustomization" {
  description = "For deploy/kubernetes/overlays/aws/settings/kustomization.yaml."
  value = templatefile("${path.module}/kustomization.yaml.tftpl", {
    region          = var.region
    name            = var.name
    buckets         = module.storage.buckets
    images          = module.registry.urls
    image_tag       = var.image_tag
    file_system_id  = module.cluster.file_system_id
    role_arns       = module.identity.role_arns
    database_secret = module.database.secret_arn
  })
}

output "env" {
  description = "For .env of a developer, whose profile has the credentials."
  value       = <<-EOT
    AWS_REGION=${var.region}
    GRAFT_S3_URL=s3://${module.storage.buckets["data"]}/dvc
    MLFLOW_ARTIFACTS_DESTINATION=s3://${module.storage.buckets["artifacts"]}/mlflow
  EOT
}

output "github_role_arn" {
  description = "For the variable AWS_ROLE_ARN of the repository; null without github_repository."
  value       = module.identity.github_role_arn
}

output "kubeconfig" {
  description = "Command that configures kubectl."
  value       = "aws eks update-kubeconfig --region ${var.region} --name ${module.cluster.name}"
}

output "buckets" {
  value = module.storage.buckets
}
