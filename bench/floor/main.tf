terraform {
  required_providers {
    floor = { source = "auth0sns/floor" }
  }
}

resource "floor_one" "x" { name = "x" }
resource "floor_two" "x" { name = floor_one.x.name }
resource "floor_three" "x" { name = floor_one.x.name }
resource "floor_four" "x" { name = floor_three.x.name }
resource "floor_five" "x" { name = floor_four.x.name }
