variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "account_id" {
  description = "It makes the names of buckets unique."
  type        = string
}

variable "force_destroy" {
  description = "Whether terraform destroy also removes what the buckets contain."
  type        = bool
  default     = false
}

variable "noncurrent_days" {
  description = "Days after which replaced and removed objects are deleted."
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_days >= 1
    error_message = "noncurrent_days: expected at least 1."
  }
}

variable "requests_days" {
  description = "Days after which shards of the request log are deleted: they are about people."
  type        = number
  default     = 30

  validation {
    condition     = var.requests_days >= 1
    error_message = "requests_days: expected at least 1."
  }
}
