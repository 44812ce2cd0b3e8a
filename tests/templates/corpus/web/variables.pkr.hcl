# All that both this and the oldest Packer with HCL2 can read.
variable "suite" {
  type        = string
  default     = "bookworm"
  description = "The release."
}

variable "packages" {
  type    = list(string)
  default = ["nginx", "curl"]
}

variable "sizes" {
  type = map(number)
  default = {
    small = 1
    large = 4
  }
}

variable "user" {
  type = object({
    name   = string
    groups = list(string)
  })
  default = {
    name   = "shop"
    groups = ["sudo"]
  }
}

variable "token" {
  type      = string
  default   = "t0ps3cret"
  sensitive = true
}

variables {
  headless = true
  retries  = 3
}

locals {
  image   = "shop-${var.suite}"
  upper   = [for one in var.packages : upper(one)]
  by_name = { for index, one in var.packages : one => index if one != "curl" }
  groups  = join(",", var.user.groups)
  motd    = <<-EOT
    Welcome to ${local.image}
      %{ for one in var.packages ~}
    - ${one}
    %{ endfor ~}
  EOT
  largest = max(values(var.sizes)...)
  mode    = var.headless ? "text" : "window"
}
