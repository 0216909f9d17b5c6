output "name" {
  value = aws_eks_cluster.this.name
}

output "arn" {
  value = aws_eks_cluster.this.arn
}

output "security_group_id" {
  description = "Of all nodes."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "oidc_provider" {
  description = "For roles of service accounts."
  value = {
    arn = aws_iam_openid_connect_provider.this.arn
    url = aws_iam_openid_connect_provider.this.url
  }
}

output "file_system_id" {
  value = aws_efs_file_system.this.id
}
