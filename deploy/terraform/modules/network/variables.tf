variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "cidr" {
  description = "Addresses of the network."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && tonumber(split("/", var.cidr)[1]) <= 20
    error_message = "cidr: expected a block such as 10.40.0.0/16, of /20 or larger, since each zone gets two subnets of a sixteenth of it."
  }
}

variable "zones" {
  description = "Availability zones."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 4 && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones: expected two to four different zones: EKS and RDS need subnets in two."
  }
}

variable "nat" {
  description = "Way to the internet from private subnets: one (cheap; a failed zone stops all), each (one a zone) or none."
  type        = string
  default     = "one"

  validation {
    condition     = contains(["one", "each", "none"], var.nat)
    error_message = "nat: expected one, each or none."
  }
}
