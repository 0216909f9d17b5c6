# terraform init -backend-config=backend.hcl; the example is backend.hcl.example. A file in
# the bucket locks the state, so no table is needed.
terraform {
  backend "s3" {
    key          = "graft/dev.tfstate"
    use_lockfile = true
    encrypt      = true
  }
}
