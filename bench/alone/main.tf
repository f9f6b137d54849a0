# Terraform without a plugin: terraform_data is built in.
resource "terraform_data" "one" { input = "x" }
resource "terraform_data" "two" { input = terraform_data.one.output }
resource "terraform_data" "three" { input = terraform_data.one.output }
resource "terraform_data" "four" { input = terraform_data.three.output }
resource "terraform_data" "five" { input = terraform_data.four.output }
