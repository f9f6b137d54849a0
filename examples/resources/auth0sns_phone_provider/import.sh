# The id of the tenant's phone provider: auth0 api get branding/phone/providers
terraform import auth0sns_phone_provider.sms pro_8hUQmxBKpXMRPsk5dm1eKb
