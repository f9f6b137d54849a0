import {
  to = auth0sns_phone_provider.sms
  id = "pro_8hUQmxBKpXMRPsk5dm1eKb"
}
