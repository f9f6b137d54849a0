# The name of the user. <name>/<policy name> where its inline policy is not
# called auth0sns-publish-sms.
terraform import auth0sns_iam_user.sms auth0-mfa-sms
