output "buckets" {
  description = "Names, by purpose: data, artifacts."
  value       = { for key, bucket in aws_s3_bucket.this : key => bucket.id }
}

output "bucket_arns" {
  value = { for key, bucket in aws_s3_bucket.this : key => bucket.arn }
}

output "kms_key_arn" {
  value = aws_kms_key.this.arn
}
