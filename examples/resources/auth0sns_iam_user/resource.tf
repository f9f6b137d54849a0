resource "auth0sns_iam_user" "sms" {
  name = "auth0-mfa-sms"

  tags = {
    owner = "identity"
  }
}
