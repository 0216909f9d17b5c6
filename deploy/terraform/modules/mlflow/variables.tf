variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "kms_key_arn" {
  type = string
}

variable "database_address" {
  description = "Host of PostgreSQL."
  type        = string
}

variable "recovery_days" {
  description = "Days in which a deleted secret can be recovered; 0: none."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_days == 0 || (var.recovery_days >= 7 && var.recovery_days <= 30)
    error_message = "recovery_days: expected 0, or 7 to 30, as Secrets Manager has it."
  }
}
