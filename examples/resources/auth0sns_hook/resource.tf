resource "auth0sns_hook" "sms" {
  name = "Amazon SNS"

  # Every option of the sender may be left out, or the whole block.
  sms = {
    client                = "builtin"
    sender_id             = "EXAMPLE"
    max_price_usd         = "0.20"
    allowed_country_codes = ["+33", "+41", "+49"]
    fallback_regions      = ["eu-west-1"]
  }
}
