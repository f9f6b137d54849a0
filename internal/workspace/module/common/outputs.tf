output "path" {
  description = "How Auth0 asks for a message: action or unified."
  value       = local.path
}

output "iam_user_arn" {
  description = "ARN of the IAM user whose key sends."
  value       = auth0sns_iam_user.sms.arn
}

output "sender_id" {
  description = "Id of the Action that sends."
  value       = auth0sns_credentials.sms.sender_id
}

output "access_key_id" {
  description = "The key that the Action sends with. An id, not a secret."
  value       = auth0sns_credentials.sms.access_key_id
}

output "rotation_due_at" {
  description = "When the first apply after it rotates the key."
  value       = auth0sns_credentials.sms.rotation_due_at
}

output "status" {
  description = "delivered, or what the next apply puts right."
  value       = auth0sns_credentials.sms.status
}
