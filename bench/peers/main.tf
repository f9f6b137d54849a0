# The job of examples/scenarios/hook with the two providers that do it today.
# Needs releases of both in the mirror that PEER_PLUGIN_DIR names.
terraform {
  required_providers {
    aws   = { source = "hashicorp/aws" }
    auth0 = { source = "auth0/auth0" }
  }
}

# The Auth0 provider speaks HTTPS only: the benchmark puts a TLS front before the sandbox.
variable "auth0_domain_tls" {
  type = string
}

variable "auth0_audience" {
  type = string
}

provider "auth0" {
  domain   = var.auth0_domain_tls
  audience = var.auth0_audience
}

provider "aws" {}

resource "aws_iam_user" "sender" {
  name = "auth0-sns"
}

resource "aws_iam_user_policy" "publish" {
  name = "sns-publish"
  user = aws_iam_user.sender.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "sns:Publish", Resource = "*" },
      { Effect = "Deny", Action = "sns:Publish", Resource = "arn:aws:sns:*:*:*" },
    ]
  })
}

resource "aws_iam_access_key" "sender" {
  user = aws_iam_user.sender.name
}

resource "auth0_hook" "sender" {
  name         = "amazon-sns"
  trigger_id   = "send-phone-message"
  enabled      = true
  dependencies = { aws-sdk = "2.1693.0" }
  secrets = {
    AWS_ACCESS_KEY_ID     = aws_iam_access_key.sender.id
    AWS_SECRET_ACCESS_KEY = aws_iam_access_key.sender.secret
    AWS_REGION            = "eu-west-1"
  }
  script = <<-JS
    module.exports = function (recipient, text, context, cb) {
      const AWS = require('aws-sdk');
      const secrets = context.webtask.secrets;
      const sns = new AWS.SNS({
        apiVersion: '2010-03-31',
        region: secrets.AWS_REGION,
        accessKeyId: secrets.AWS_ACCESS_KEY_ID,
        secretAccessKey: secrets.AWS_SECRET_ACCESS_KEY,
      });
      sns.publish({ PhoneNumber: recipient, Message: text }, function (err) {
        cb(err, {});
      });
    };
  JS
}

resource "auth0_guardian" "mfa" {
  policy     = "all-applications"
  depends_on = [auth0_hook.sender]

  phone {
    enabled       = true
    provider      = "phone-message-hook"
    message_types = ["sms"]
    options {
      enrollment_message   = "{{code}} is your verification code for {{tenant.friendly_name}}. Please enter this code to verify your enrollment."
      verification_message = "{{code}} is your verification code for {{tenant.friendly_name}}."
    }
  }
}
