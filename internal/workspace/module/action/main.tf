# Amazon SNS sends the tenant's MFA messages, through an Action that is bound to
# send-phone-message.

locals {
  path = "action"

  sms_options = {
    sender_id             = var.sms_sender_id
    origination_number    = var.sms_origination_number
    max_price_usd         = var.sms_max_price_usd
    entity_id             = var.sms_entity_id
    template_id           = var.sms_template_id
    allowed_country_codes = var.sms_allowed_country_codes
    fallback_regions      = var.sms_fallback_regions
  }
}

resource "auth0sns_iam_user" "sms" {
  name = var.iam_user
}

resource "auth0sns_action" "sms" {
  name    = var.sender_name
  trigger = "send-phone-message"
  sms     = anytrue([for option in local.sms_options : option != null]) ? local.sms_options : null
}

# The secret key goes from IAM to the Action within this one resource: neither
# the plan nor the state has it.
resource "auth0sns_credentials" "sms" {
  iam_user     = auth0sns_iam_user.sms.name
  action_id    = auth0sns_action.sms.id
  region       = var.region
  rotate_after = var.rotate_after
  keepers      = { rotation = var.rotation }
}

# People are asked for a code by SMS once a sender with a working key is there.
resource "auth0sns_sms_factor" "sms" {
  sender_id            = auth0sns_credentials.sms.sender_id
  enrollment_message   = var.enrollment_message
  verification_message = var.verification_message

  # A new sender is there before the old one goes. It holds for everything that
  # the factor refers to.
  lifecycle {
    create_before_destroy = true
  }
}

resource "auth0sns_mfa_policy" "sms" {
  policy     = var.mfa_policy
  depends_on = [auth0sns_sms_factor.sms]
}
