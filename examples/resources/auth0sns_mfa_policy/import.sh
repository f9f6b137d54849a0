# A tenant has one MFA policy.
terraform import auth0sns_mfa_policy.sms mfa-policy
