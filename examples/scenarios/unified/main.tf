# Auth0's guide "Configure Amazon SNS as MFA SMS Provider", on the Unified Phone
# Experience.
terraform {
  required_version = ">= 1.11"
  required_providers {
    auth0sns = {
      source = "auth0sns/auth0sns"
    }
  }
}

# Tenant, account and region come from the environment: AUTH0_DOMAIN,
# AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET, and the AWS default chain.
provider "auth0sns" {}

variable "rotation" {
  description = "Change it to rotate the access key."
  type        = string
  default     = "1"
}

resource "auth0sns_iam_user" "sms" {
  name = "auth0-mfa-sms"
}

resource "auth0sns_action" "sms" {
  name    = "Amazon SNS phone provider"
  trigger = "custom-phone-provider"
}

resource "auth0sns_credentials" "sms" {
  iam_user     = auth0sns_iam_user.sms.name
  action_id    = auth0sns_action.sms.id
  rotate_after = "90d"
  keepers      = { rotation = var.rotation }
}

resource "auth0sns_phone_provider" "sms" {
  action_id                = auth0sns_credentials.sms.sender_id
  unified_phone_experience = true
}

resource "auth0sns_sms_factor" "sms" {
  sender_id = auth0sns_phone_provider.sms.id

  lifecycle {
    create_before_destroy = true
  }
}

resource "auth0sns_mfa_policy" "sms" {
  policy     = "all-applications"
  depends_on = [auth0sns_sms_factor.sms]
}

output "access_key_id" {
  description = "The key that the Action sends with. An id, not a secret."
  value       = auth0sns_credentials.sms.access_key_id
}
