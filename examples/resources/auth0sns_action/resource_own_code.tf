# Own code instead of the sender.
resource "auth0sns_action" "own" {
  name         = "Own sender"
  code         = file("${path.module}/action.js")
  dependencies = { "@aws-sdk/client-sns" = "3.1169.0" }

  # Auth0 installs the packages when it builds the Action.
  timeouts {
    create = "15m"
    update = "15m"
  }
}
