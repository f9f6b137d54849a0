resource "auth0sns_iam_user" "sms" {
  name = "auth0-mfa-sms"
}

resource "auth0sns_hook" "sms" {
  name = "Amazon SNS"
}

resource "auth0sns_credentials" "sms" {
  iam_user = auth0sns_iam_user.sms.name
  hook_id  = auth0sns_hook.sms.id
}

resource "auth0sns_sms_factor" "sms" {
  sender_id = auth0sns_credentials.sms.sender_id

  enrollment_message   = "{{code}} is your code to add this phone to {{tenant.friendly_name}}."
  verification_message = "{{code}} is your code for {{tenant.friendly_name}}."

  lifecycle {
    create_before_destroy = true
  }
}
