variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "kubernetes_version" {
  type    = string
  default = "1.34"

  validation {
    condition     = can(regex("^1\\.(3[2-9]|[4-9][0-9])$", var.kubernetes_version))
    error_message = "kubernetes_version: expected 1.32 or newer, such as \"1.34\": the manifests use what 1.32 has."
  }
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  description = "Private subnets of the nodes."
  type        = list(string)
}

variable "kms_key_arn" {
  description = "Key that encrypts the cluster's secrets and the shared file system."
  type        = string
}

variable "api_cidrs" {
  description = "Addresses from which the Kubernetes API may be called; empty: only from inside the network."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.api_cidrs : can(cidrhost(cidr, 0)) && cidr != "0.0.0.0/0"])
    error_message = "api_cidrs: expected blocks such as 203.0.113.0/24, and not 0.0.0.0/0: the API is not for everyone."
  }
}

variable "pools" {
  description = "Groups of nodes. A pool with gpu takes only pods that ask for one; spot nodes may be taken back at any time."
  type = map(object({
    instance_types = list(string)
    min            = number
    max            = number
    gpu            = optional(bool, false)
    spot           = optional(bool, false)
    disk_gb        = optional(number, 100)
  }))

  validation {
    condition     = alltrue([for pool in values(var.pools) : pool.min >= 0 && pool.max >= max(pool.min, 1)])
    error_message = "pools: expected 0 <= min <= max, and max >= 1."
  }

  validation {
    condition     = contains(keys(var.pools), "system")
    error_message = "pools: expected one named system, for what runs besides graft."
  }

  validation {
    condition     = alltrue([for pool in values(var.pools) : !pool.gpu || alltrue([for type in pool.instance_types : can(regex("^(g[4-9]|p[3-9])", type))])])
    error_message = "pools: a pool with gpu = true expects instance types with NVIDIA GPUs, such as g6.xlarge or p5.48xlarge."
  }
}
