# The credentials of the AWS chain serve for one thing: to assume this role.
provider "auth0sns" {
  aws = {
    region              = "eu-central-1"
    assume_role_arn     = "arn:aws:iam::111122223333:role/operator"
    allowed_account_ids = ["111122223333"]
  }
}
