# The id of the Action: auth0 actions list, or GET /api/v2/actions/actions.
terraform import auth0sns_action.sms 295d7c28-06dc-4d72-93a6-da8a6d947fbe
