import {
  to = auth0sns_credentials.sms
  id = "auth0-mfa-sms/AKIAIOSFODNN7EXAMPLE/01GQ7W5M3B8ZC9T4R6X2Y1K0HN/eu-central-1"
}
