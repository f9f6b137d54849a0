# A tenant has one SMS factor, and sms is its name.
terraform import auth0sns_sms_factor.sms sms
