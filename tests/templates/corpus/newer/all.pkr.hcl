packer {
  required_version = ">= 1.7.0, < 2.0"
  required_plugins {
    qemu = {
      version = "~> 1.0"
      source  = "github.com/hashicorp/qemu"
    }
  }
}

variable "disk" {
  type    = string
  default = "8G"
  validation {
    condition     = can(regex("^[0-9]+[MG]$", var.disk))
    error_message = "A size, like 8G."
  }
}

variable "mirrors" {
  type = set(string)
  default = ["b.example", "a.example"]
}

variable "key" {
  default   = env("SHOP_KEY")
  sensitive = true
}

local "password" {
  expression = "${var.key}-${length(var.mirrors)}"
  sensitive  = true
}

data "amazon-ami" "base" {
  filters = { name = "debian-12-*" }
  owners  = ["136693071363"]
}

locals {
  started = formatdate("YYYYMMDD", timestamp())
  ports   = [for n in range(2) : 8080 + n]
}

source "qemu" "base" {
  disk_size    = var.disk
  http_content = { "/preseed.cfg" = templatefile("${path.root}/preseed.pkrtpl", { user = "shop" }) }
  boot_command = ["<esc><wait>", "auto url=http://{{ .HTTPIP }}:{{ .HTTPPort }}/preseed.cfg<enter>"]
  qemuargs     = [["-m", "1024M"], ["-cpu", "max"]]
  ssh_password = local.password

  dynamic "network" {
    for_each = local.ports
    iterator = each
    content {
      port = each.value
      name = "net${each.key}"
    }
  }
}

source "amazon-ebs" "cloud" {
  source_ami = data.amazon-ami.base.id
  tags       = { Name = "shop ${local.started}" }
}

build {
  sources = ["qemu.base", "amazon-ebs.cloud"]

  dynamic "provisioner" {
    for_each = ["one", "two"]
    labels   = ["shell"]
    content {
      inline = ["echo ${provisioner.value} on ${source.type}"]
    }
  }

  provisioner "shell" {
    execute_command = "sudo -S sh -c '{{ .Vars }} {{ .Path }}'"
    script          = "setup.sh"
    only            = ["qemu.base"]
  }

  error-cleanup-provisioner "shell-local" {
    inline = ["echo sorry"]
  }

  post-processors {
    post-processor "vagrant" {}
    post-processor "shell-local" {
      name   = "tell"
      inline = ["echo built by ${packer.version}"]
    }
  }
}
