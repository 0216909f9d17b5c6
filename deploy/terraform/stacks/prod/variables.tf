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
  default     = "graft-prod"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,24}$", var.name))
    error_message = "name: expected 3 to 25 lower-case letters, digits and hyphens, since it is part of names of buckets."
  }
}

variable "budget_usd" {
  description = "Cost of a month at which an e-mail is sent; first at 80 % of it."
  type        = number
  default     = 3000

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

variable "api_cidrs" {
  description = "Addresses from which the Kubernetes API may be called; empty: only from inside the network."
  type        = list(string)
  default     = []
}

variable "pools" {
  description = "Groups of nodes; serving and training are what the manifests select."
  type = map(object({
    instance_types = list(string)
    min            = number
    max            = number
    gpu            = optional(bool, false)
    spot           = optional(bool, false)
    disk_gb        = optional(number, 100)
  }))
  default = {
    system   = { instance_types = ["m7i.large"], min = 2, max = 4 }
    serving  = { instance_types = ["g6.2xlarge"], min = 1, max = 4, gpu = true, disk_gb = 200 }
    training = { instance_types = ["g6e.2xlarge", "g6e.4xlarge"], min = 0, max = 2, gpu = true, spot = true, disk_gb = 300 }
  }

  validation {
    condition     = length(setsubtract(["system", "serving", "training"], keys(var.pools))) == 0
    error_message = "pools: expected system, serving and training, which the manifests select by the label graft/nodes."
  }
}

variable "image_tag" {
  description = "Tag of the images that Kubernetes runs."
  type        = string
  default     = "0.1.0"

  validation {
    condition     = var.image_tag != "latest" && can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag))
    error_message = "image_tag: expected a tag other than latest, which would not say what runs."
  }
}

variable "github_repository" {
  description = "OWNER/NAME whose workflows may release; null: none."
  type        = string
  default     = null
}

variable "github_oidc_provider_arn" {
  description = "Provider for GitHub that the account already has; null: one is made, which fails if there is one."
  type        = string
  default     = null
}

variable "protected" {
  description = "false: terraform destroy removes data, images and the database, too."
  type        = bool
  default     = true
}
