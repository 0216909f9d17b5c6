output "address" {
  value = aws_db_instance.this.address
}

output "secret_arn" {
  description = "Secret with the keys username and password."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "protected" {
  value = aws_db_instance.this.deletion_protection
}

output "multi_az" {
  value = aws_db_instance.this.multi_az
}
