terraform {
  required_providers {
    auth0sns = {
      source = "auth0sns/auth0sns"
    }
  }
}

# AUTH0_DOMAIN, AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET; AWS_REGION, AWS_PROFILE.
provider "auth0sns" {}

resource "auth0sns_iam_user" "sms" {
  name = "auth0-mfa-sms"
}

resource "auth0sns_action" "sms" {
  name    = "Amazon SNS"
  trigger = "custom-phone-provider"
}

resource "auth0sns_credentials" "sms" {
  iam_user  = auth0sns_iam_user.sms.name
  action_id = auth0sns_action.sms.id
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
