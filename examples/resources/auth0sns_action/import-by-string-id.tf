import {
  to = auth0sns_action.sms
  id = "295d7c28-06dc-4d72-93a6-da8a6d947fbe"
}
