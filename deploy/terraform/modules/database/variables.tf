variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  description = "Private subnets, in two zones at least."
  type        = list(string)
}

variable "client_security_group_id" {
  description = "Security group that may connect."
  type        = string
}

variable "kms_key_arn" {
  type = string
}

variable "instance_class" {
  type    = string
  default = "db.t4g.small"

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "instance_class: expected a class of RDS, such as db.t4g.small."
  }
}

variable "storage_gb" {
  type    = number
  default = 20

  validation {
    condition     = var.storage_gb >= 20
    error_message = "storage_gb: expected at least 20, the least of gp3 volumes."
  }
}

variable "multi_az" {
  description = "Whether a copy in another zone takes over."
  type        = bool
  default     = false
}

variable "backup_days" {
  type    = number
  default = 14

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "backup_days: expected 1 to 35; without backups, a lost database loses every decision of the registry."
  }
}

variable "protected" {
  description = "Whether terraform destroy is refused, and a last snapshot is kept."
  type        = bool
  default     = true
}
