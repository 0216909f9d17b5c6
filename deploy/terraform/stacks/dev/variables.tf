variable "region" {
  type    = string
  default = "eu-west-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: expected a region of AWS, such as eu-west-1."
  }
}

variable "zones" {
  description = "Availability zones, two at least."
  type        = list(string)
  default     = ["eu-west-1a", "eu-west-1b"]

  validation {
    condition     = alltrue([for zone in var.zones : startswith(zone, var.region)])
    error_message = "zones: expected zones of the region, such as eu-west-1a."
  }
}

variable "name" {
  description = "Prefix of all names."
  type        = string
  default     = "graft-dev"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,24}$", var.name))
    error_message = "name: expected 3 to 25 lower-case letters, digits and hyphens, since it is part of names of buckets."
  }
}

variable "budget_usd" {
  description = "Cost of a month at which an e-mail is sent; first at 80 % of it."
  type        = number
  default     = 500

  validation {
    condition     = var.budget_usd > 0
    error_message = "budget_usd: expected more than 0."
  }
}

variable "budget_emails" {
  description = "Who is told. AWS reports costs with a delay of up to a day: this is no limit."
  type        = list(string)

  validation {
    condition     = length(var.budget_emails) > 0 && alltrue([for one in var.budget_emails : can(regex("^[^@ ]+@[^@ ]+$", one))])
    error_message = "budget_emails: expected one e-mail address at least: a forgotten GPU costs thousands a month."
  }
}

variable "instance_type" {
  type    = string
  default = "g6.xlarge" # one L4 with 24 GB: QLoRA of 7B

  validation {
    condition     = can(regex("^(g[4-9]|p[3-9])", var.instance_type))
    error_message = "instance_type: expected one with NVIDIA GPUs, such as g6.xlarge (L4, 24 GB) or p5.4xlarge (H100, 80 GB)."
  }
}

variable "ami_id" {
  description = "Null: the newest of AWS's deep-learning images."
  type        = string
  default     = null
}

variable "spot" {
  type    = bool
  default = false
}
