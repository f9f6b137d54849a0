# Whom this environment is for.

variable "auth0_domain" {
  description = "Domain of the Auth0 tenant, such as tenant.eu.auth0.com; not a custom domain."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9.-]+\\.[A-Za-z][A-Za-z0-9-]*$", var.auth0_domain)) || can(regex("^http://(127\\.0\\.0\\.1|localhost|\\[::1\\])(:[0-9]+)?$", var.auth0_domain))
    error_message = "Use the bare name that the Auth0 Dashboard shows, such as tenant.eu.auth0.com."
  }
}

variable "aws_account_id" {
  description = "The only AWS account that may be changed."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.aws_account_id))
    error_message = "The id of an AWS account has 12 digits."
  }
}

variable "aws_region" {
  description = "AWS region that SNS sends from. A change rotates the access key."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2,}(-[a-z]+)+-[0-9]+$", var.aws_region))
    error_message = "A region is written as in eu-central-1."
  }
}

# How it sends. null means the default of the module, which also checks them.

variable "iam_user" {
  description = "Name of the IAM user whose access key sends."
  type        = string
  default     = null
}

variable "sender_name" {
  description = "Name of the Action that sends. No other Action of the tenant has it."
  type        = string
  default     = null
}

variable "rotate_after" {
  description = "Age at which an apply rotates the access key, in days (90d) or hours (2160h)."
  type        = string
  default     = null
}

variable "rotation" {
  description = "Change it to rotate the access key in the next apply."
  type        = string
  default     = null
}

variable "mfa_policy" {
  description = "When people are asked for a second factor: all-applications, confidence-score (Adaptive MFA) or never (Actions and applications decide)."
  type        = string
  default     = null
}

variable "enrollment_message" {
  description = "Text when a person enrolls a phone, with {{code}}. Set both texts or neither; without them the tenant's texts stay."
  type        = string
  default     = null
}

variable "verification_message" {
  description = "Text of a code when a person logs in, with {{code}}."
  type        = string
  default     = null
}

variable "sms_sender_id" {
  description = "Sender ID shown on the phone where the country supports it: 3 to 11 letters, digits or hyphens."
  type        = string
  default     = null
}

variable "sms_origination_number" {
  description = "Number of the AWS account that the messages come from."
  type        = string
  default     = null
}

variable "sms_max_price_usd" {
  description = "Highest price of one message in USD, such as 0.20. SNS does not send a dearer one."
  type        = string
  default     = null
}

variable "sms_entity_id" {
  description = "Entity ID, required for India (DLT)."
  type        = string
  default     = null
}

variable "sms_template_id" {
  description = "Template ID, required for India (DLT)."
  type        = string
  default     = null
}

variable "sms_allowed_country_codes" {
  description = "Calling codes that may receive messages, such as +49. Any other number is refused before AWS is called: the cheapest defence against SMS pumping. Default: all."
  type        = set(string)
  default     = null
}

variable "sms_fallback_regions" {
  description = "AWS regions tried in this order where SNS said that it did not take a message."
  type        = list(string)
  default     = null
}
