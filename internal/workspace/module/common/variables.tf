variable "region" {
  description = "AWS region that SNS sends from. A change rotates the access key."
  type        = string
  nullable    = false
}

variable "iam_user" {
  description = "Name of the IAM user whose access key sends."
  type        = string
  default     = "auth0-mfa-sms"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.iam_user))
    error_message = "An IAM user's name has 1 to 64 of letters, digits and +=,.@_-."
  }
}

variable "sender_name" {
  description = "Name of the Action that sends. No other Action of the tenant has it."
  type        = string
  default     = "Amazon SNS"
  nullable    = false

  validation {
    condition     = trimspace(var.sender_name) == var.sender_name && var.sender_name != ""
    error_message = "The Action needs a name that neither begins nor ends with a space."
  }
}

variable "rotate_after" {
  description = "Age at which an apply rotates the access key, in days (90d) or hours (2160h)."
  type        = string
  default     = "90d"
  nullable    = false

  validation {
    condition     = can(regex("^[1-9][0-9]*[dh]$", var.rotate_after))
    error_message = "Use days such as 90d, or hours such as 2160h."
  }
}

variable "rotation" {
  description = "Change it to rotate the access key in the next apply."
  type        = string
  default     = "1"
  nullable    = false
}

variable "mfa_policy" {
  description = "When people are asked for a second factor: all-applications, confidence-score (Adaptive MFA) or never (Actions and applications decide)."
  type        = string
  default     = "all-applications"
  nullable    = false

  validation {
    condition     = contains(["all-applications", "confidence-score", "never"], var.mfa_policy)
    error_message = "The policy is all-applications, confidence-score or never."
  }
}

variable "enrollment_message" {
  description = "Text when a person enrolls a phone, with {{code}}. Set both texts or neither; without them the tenant's texts stay."
  type        = string
  default     = null

  validation {
    condition     = var.enrollment_message == null || can(regex("{{\\s*code\\s*(\\|[^{}]*)?}}", var.enrollment_message))
    error_message = "The text needs {{code}}: nobody could log in without the code."
  }

  validation {
    condition     = (var.enrollment_message == null) == (var.verification_message == null)
    error_message = "Set enrollment_message and verification_message, or neither."
  }
}

variable "verification_message" {
  description = "Text of a code when a person logs in, with {{code}}."
  type        = string
  default     = null

  validation {
    condition     = var.verification_message == null || can(regex("{{\\s*code\\s*(\\|[^{}]*)?}}", var.verification_message))
    error_message = "The text needs {{code}}: nobody could log in without the code."
  }
}

variable "sms_sender_id" {
  description = "Sender ID shown on the phone where the country supports it: 3 to 11 letters, digits or hyphens."
  type        = string
  default     = null

  validation {
    condition     = var.sms_sender_id == null || can(regex("^[A-Za-z0-9-]*[A-Za-z][A-Za-z0-9-]*$", var.sms_sender_id)) && can(regex("^.{3,11}$", var.sms_sender_id))
    error_message = "A sender ID has 3 to 11 letters, digits or hyphens, and at least one letter."
  }
}

variable "sms_origination_number" {
  description = "Number of the AWS account that the messages come from."
  type        = string
  default     = null

  validation {
    condition     = var.sms_origination_number == null || can(regex("^(\\+[1-9][0-9]{4,13}|[0-9]{5,14})$", var.sms_origination_number))
    error_message = "An origination number is + and the number, such as +18445550100, or 5 to 14 digits."
  }
}

variable "sms_max_price_usd" {
  description = "Highest price of one message in USD, such as 0.20. SNS does not send a dearer one."
  type        = string
  default     = null

  validation {
    condition     = var.sms_max_price_usd == null || can(regex("^[0-9]+(\\.[0-9]+)?$", var.sms_max_price_usd)) && try(tonumber(var.sms_max_price_usd) > 0, false)
    error_message = "A price is a number greater than 0, such as 0.20."
  }
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

  validation {
    condition     = alltrue([for code in coalesce(var.sms_allowed_country_codes, []) : can(regex("^\\+[1-9][0-9]{0,5}$", code))])
    error_message = "A calling code is + and 1 to 6 digits, such as +49."
  }
}

variable "sms_fallback_regions" {
  description = "AWS regions tried in this order where SNS said that it did not take a message."
  type        = list(string)
  default     = null

  validation {
    condition     = alltrue([for region in coalesce(var.sms_fallback_regions, []) : can(regex("^[a-z]{2,}(-[a-z]+)+-[0-9]+$", region))])
    error_message = "A region is written as in eu-central-1."
  }
}
