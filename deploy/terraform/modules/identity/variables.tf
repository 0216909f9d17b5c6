variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "namespace" {
  description = "Namespace of the service accounts."
  type        = string
  default     = "graft"
}

variable "oidc_provider" {
  description = "Of the cluster; null: no roles of service accounts."
  type        = object({ arn = string, url = string })
  default     = null
}

variable "bucket_arns" {
  description = "By purpose: data, artifacts."
  type        = map(string)
}

variable "kms_key_arn" {
  type = string
}

variable "secret_arns" {
  description = "Secrets that the External Secrets operator reads."
  type        = list(string)
  default     = []
}

variable "repository_arns" {
  description = "Image repositories to which releases push."
  type        = list(string)
}

variable "cluster_arn" {
  description = "Cluster that deployments look up; null: none."
  type        = string
  default     = null
}

variable "github_repository" {
  description = "OWNER/NAME whose workflows take the role; null: no role."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository == null || can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.github_repository))
    error_message = "github_repository: expected OWNER/NAME, such as my-team/my-project; no wildcards, since they would let others take the role."
  }
}

variable "github_oidc_provider_arn" {
  description = "Provider for GitHub that the account already has, of another stack or project; null: one is made."
  type        = string
  default     = null

  validation {
    condition     = var.github_oidc_provider_arn == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:oidc-provider/token.actions.githubusercontent.com$", var.github_oidc_provider_arn))
    error_message = "github_oidc_provider_arn: expected arn:aws:iam::ACCOUNT:oidc-provider/token.actions.githubusercontent.com; aws iam list-open-id-connect-providers prints it."
  }
}

variable "github_environments" {
  description = "Environments of the repository, with their approvals, in which the role can be taken."
  type        = list(string)
  default     = ["production"]

  validation {
    condition     = length(var.github_environments) > 0 && alltrue([for one in var.github_environments : can(regex("^[A-Za-z0-9_-]+$", one))])
    error_message = "github_environments: expected names such as production; no wildcards."
  }
}
