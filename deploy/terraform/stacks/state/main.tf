# The bucket of the other stacks' states. Its own state stays in a file: it contains no
# secret, and the bucket can be imported again.
provider "aws" {
  region = var.region
}

variable "region" {
  type = string
}

variable "name" {
  description = "Prefix of all names."
  type        = string
  default     = "graft"
}

data "aws_caller_identity" "current" {}

module "storage" {
  source     = "../../modules/storage"
  name       = "${var.name}-state"
  account_id = data.aws_caller_identity.current.account_id
}

output "bucket" {
  description = "For backend.hcl of the other stacks."
  value       = module.storage.buckets["data"]
}
