variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "vpc_id" {
  type = string
}

variable "subnet_id" {
  description = "A private subnet."
  type        = string
}

variable "instance_type" {
  type = string
}

variable "ami_id" {
  description = "Image with NVIDIA's driver and Docker; null: the newest of AWS's deep-learning images."
  type        = string
  default     = null

  validation {
    condition     = var.ami_id == null || can(regex("^ami-[0-9a-f]+$", var.ami_id))
    error_message = "ami_id: expected an identifier such as ami-0123456789abcdef0, or null."
  }
}

variable "spot" {
  description = "Whether a spot machine is used: a third of the price, and stopped when AWS needs it."
  type        = bool
  default     = false
}

variable "disk_gb" {
  type    = number
  default = 300

  validation {
    condition     = var.disk_gb >= 100
    error_message = "disk_gb: expected at least 100: images, a base model, DVC's cache and checkpoints share the disk."
  }
}

variable "bucket_arns" {
  description = "Buckets that the machine reads and writes."
  type        = list(string)
}

variable "kms_key_arn" {
  type = string
}
