# Own code instead of the sender. Also the way to take over a hook on a tenant
# whose hooks are read-only: the plan changes neither code nor packages.
resource "auth0sns_hook" "own" {
  name         = "Own sender"
  script       = file("${path.module}/hook.js")
  dependencies = { "aws-sdk" = "2.1693.0" }
}
