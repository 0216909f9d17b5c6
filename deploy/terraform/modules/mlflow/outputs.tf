output "secret_arns" {
  value = concat(
    [for one in aws_secretsmanager_secret.this : one.arn],
    [aws_secretsmanager_secret.address.arn],
  )
}
