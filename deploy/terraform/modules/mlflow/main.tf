# Secrets of MLflow and of graft's servers. A person sets their values once, so that neither
# the code nor the state contains them: aws secretsmanager put-secret-value (DEPLOYMENT.md).
locals {
  secrets = {
    mlflow-server = "JSON: admin_username, admin_password, flask_secret_key"
    mlflow-client = "JSON: username, password of the user that graft is"
    api-keys      = "JSON: a name for the SHA-256 of each key of the API"
    alert-token   = "Token that Alertmanager sends to graft watch"
    hub-token     = "Token of the Hugging Face Hub, for gated models"
  }
}

resource "aws_secretsmanager_secret" "this" {
  for_each                = local.secrets
  name                    = "${var.name}/${each.key}"
  description             = each.value
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_days
}

# Not a secret: beside them because addresses of the database are made from both.
resource "aws_secretsmanager_secret" "address" {
  name                    = "${var.name}/database-address"
  description             = "Host of MLflow's database"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_days
}

resource "aws_secretsmanager_secret_version" "address" {
  secret_id     = aws_secretsmanager_secret.address.id
  secret_string = var.database_address
}
