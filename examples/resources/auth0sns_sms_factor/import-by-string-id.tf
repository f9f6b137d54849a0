import {
  to = auth0sns_sms_factor.sms
  id = "sms"
}
