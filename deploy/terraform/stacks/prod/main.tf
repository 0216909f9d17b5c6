# A cluster with pools for serving and training, a database, and roles without keys.
provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "graft", stack = var.name }
  }
}

data "aws_caller_identity" "current" {}

module "network" {
  source = "../../modules/network"
  name   = var.name
  zones  = var.zones
  nat    = "each"
}

module "storage" {
  source        = "../../modules/storage"
  name          = var.name
  account_id    = data.aws_caller_identity.current.account_id
  force_destroy = !var.protected
}

module "registry" {
  source        = "../../modules/registry"
  name          = var.name
  kms_key_arn   = module.storage.kms_key_arn
  force_destroy = !var.protected
}

module "cluster" {
  source      = "../../modules/compute/cluster"
  name        = var.name
  vpc_id      = module.network.vpc_id
  subnet_ids  = module.network.private_subnet_ids
  kms_key_arn = module.storage.kms_key_arn
  api_cidrs   = var.api_cidrs
  pools       = var.pools
}

module "database" {
  source                   = "../../modules/database"
  name                     = var.name
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.private_subnet_ids
  client_security_group_id = module.cluster.security_group_id
  kms_key_arn              = module.storage.kms_key_arn
  multi_az                 = var.protected
  protected                = var.protected
}

module "mlflow" {
  source           = "../../modules/mlflow"
  name             = var.name
  kms_key_arn      = module.storage.kms_key_arn
  database_address = module.database.address
  recovery_days    = var.protected ? 30 : 0
}

module "identity" {
  source            = "../../modules/identity"
  name              = var.name
  oidc_provider     = module.cluster.oidc_provider
  bucket_arns       = module.storage.bucket_arns
  kms_key_arn       = module.storage.kms_key_arn
  secret_arns       = concat([module.database.secret_arn], module.mlflow.secret_arns)
  repository_arns   = module.registry.arns
  cluster_arn       = module.cluster.arn
  github_repository = var.github_repository

  github_oidc_provider_arn = var.github_oidc_provider_arn
}
