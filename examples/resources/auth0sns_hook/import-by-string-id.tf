import {
  to = auth0sns_hook.sms
  id = "01GQ7W5M3B8ZC9T4R6X2Y1K0HN"
}
