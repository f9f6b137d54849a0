# The id of the hook: auth0 api get hooks, or GET /api/v2/hooks.
terraform import auth0sns_hook.sms 01GQ7W5M3B8ZC9T4R6X2Y1K0HN
