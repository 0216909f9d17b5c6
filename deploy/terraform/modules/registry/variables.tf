variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts the images."
  type        = string
}

variable "images" {
  description = "Targets of the Dockerfile."
  type        = set(string)
  default     = ["train", "serve", "serve-cpu", "mlflow"]
}

variable "force_destroy" {
  description = "Whether terraform destroy also removes the images."
  type        = bool
  default     = false
}
