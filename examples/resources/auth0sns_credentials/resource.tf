resource "auth0sns_iam_user" "sms" {
  name = "auth0-mfa-sms"
}

resource "auth0sns_hook" "sms" {
  name = "Amazon SNS"
}

resource "auth0sns_credentials" "sms" {
  iam_user = auth0sns_iam_user.sms.name
  hook_id  = auth0sns_hook.sms.id
  region   = "eu-central-1"

  # A new key by the first apply after 90 days, and whenever the ticket changes.
  rotate_after = "90d"
  keepers      = { ticket = "SEC-1234" }
}
