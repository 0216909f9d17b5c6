# The emulator makes no secret of RDS, and forgets the logs' export.
output "secret_arn" {
  value = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:emulated"
}

resource "aws_db_instance" "this" {
  lifecycle {
    ignore_changes = [engine_version, enabled_cloudwatch_logs_exports]
  }
}
