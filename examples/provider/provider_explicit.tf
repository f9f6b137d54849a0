variable "auth0_domain" {
  description = "Domain of the tenant, e.g. tenant.eu.auth0.com."
  type        = string
}

# What is no secret can be written down. Terraform then refuses, in plan, any
# AWS account but this one. The credentials stay in the environment.
provider "auth0sns" {
  auth0 = {
    domain = var.auth0_domain
  }
  aws = {
    region              = "eu-central-1"
    allowed_account_ids = ["111122223333"]
  }
}
