# For a small team: one machine with a GPU, buckets and image repositories. MLflow and its
# database run on the machine, by deploy/compose.
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
}

module "storage" {
  source        = "../../modules/storage"
  name          = var.name
  account_id    = data.aws_caller_identity.current.account_id
  force_destroy = true
}

module "registry" {
  source        = "../../modules/registry"
  name          = var.name
  kms_key_arn   = module.storage.kms_key_arn
  force_destroy = true
}

module "machine" {
  source        = "../../modules/compute/machine"
  name          = var.name
  vpc_id        = module.network.vpc_id
  subnet_id     = module.network.private_subnet_ids[0]
  instance_type = var.instance_type
  ami_id        = var.ami_id
  spot          = var.spot
  bucket_arns   = values(module.storage.bucket_arns)
  kms_key_arn   = module.storage.kms_key_arn
}
