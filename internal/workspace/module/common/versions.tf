terraform {
  required_version = ">= 1.11"
  required_providers {
    # Each environment pins the version: a new one goes to staging first.
    auth0sns = {
      source = "auth0sns/auth0sns"
    }
  }
}
