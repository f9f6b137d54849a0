import {
  to = auth0sns_iam_user.sms
  id = "auth0-mfa-sms"
}
