# Credentials of both sides come from the environment alone; whom they may
# change, from terraform.tfvars.
provider "auth0sns" {
  auth0 = {
    domain = var.auth0_domain
  }
  aws = {
    region              = var.aws_region
    allowed_account_ids = [var.aws_account_id]
  }
}

module "sms_mfa" {
  source = "../../modules/sms_mfa"

  region                    = var.aws_region
  iam_user                  = var.iam_user
  sender_name               = var.sender_name
  rotate_after              = var.rotate_after
  rotation                  = var.rotation
  mfa_policy                = var.mfa_policy
  enrollment_message        = var.enrollment_message
  verification_message      = var.verification_message
  sms_sender_id             = var.sms_sender_id
  sms_origination_number    = var.sms_origination_number
  sms_max_price_usd         = var.sms_max_price_usd
  sms_entity_id             = var.sms_entity_id
  sms_template_id           = var.sms_template_id
  sms_allowed_country_codes = var.sms_allowed_country_codes
  sms_fallback_regions      = var.sms_fallback_regions
}

output "path" {
  description = "How Auth0 asks for a message: action or unified."
  value       = module.sms_mfa.path
}

output "iam_user_arn" {
  description = "ARN of the IAM user whose key sends."
  value       = module.sms_mfa.iam_user_arn
}

output "sender_id" {
  description = "Id of the Action that sends."
  value       = module.sms_mfa.sender_id
}

output "access_key_id" {
  description = "The key that the Action sends with. An id, not a secret."
  value       = module.sms_mfa.access_key_id
}

output "rotation_due_at" {
  description = "When the first apply after it rotates the key."
  value       = module.sms_mfa.rotation_due_at
}

output "status" {
  description = "delivered, or what the next apply puts right."
  value       = module.sms_mfa.status
}
