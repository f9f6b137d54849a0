variable "auth0_private_key" {
  description = "Private key of the application, PEM."
  type        = string
  sensitive   = true
  ephemeral   = true # in no plan file
}

# Private-key JWT: the application signs for its token, no secret is shared with
# Auth0. AUTH0_CLIENT_ASSERTION_PRIVATE_KEY does the same without this block.
provider "auth0sns" {
  auth0 = {
    client_assertion_private_key = var.auth0_private_key
    client_assertion_signing_alg = "PS256"
  }
}
