import {
  to = auth0sns_mfa_policy.sms
  id = "mfa-policy"
}
