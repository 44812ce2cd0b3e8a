# What large public collections of templates do in HCL2: one definition for many systems, chosen by variables.
packer {
  required_version = ">= 1.7.0"
  required_plugins {
    qemu = {
      version = ">= 1.0.8"
      source  = "github.com/hashicorp/qemu"
    }
  }
}

variable "system" {
  type    = string
  default = "debian"
}
variable "machine" {
  type    = string
  default = "x86_64"
}
variable "windows" {
  type    = bool
  default = false
}
variable "enabled" {
  type    = list(string)
  default = ["source.qemu.one", "source.null.one"]
}
variable "scripts" {
  type    = list(string)
  default = null
}
variable "arguments" {
  type    = list(list(string))
  default = null
}
variable "wait" {
  type    = string
  default = null
}
variable "proxy" {
  type    = string
  default = env("http_proxy")
}

locals {
  scripts = var.scripts == null ? (
    var.windows ? [
      "${path.root}/windows.ps1",
      ] : (
      var.system == "ubuntu" ||
      var.system == "debian" ? [
        "${path.root}/steps/${var.system}.sh",
        ] : [
        "${path.root}/steps/other.sh"
      ]
    )
  ) : var.scripts
  surroundings = var.system == "solaris" ? [] : [
    "HOME_DIR=/home/vagrant",
    "http_proxy=${var.proxy}",
  ]
  command = var.system == "freebsd" ? "su -m root -c 'sh {{.Path}}'" : "echo 'vagrant' | {{ .Vars }} sudo -S -E sh '{{ .Path }}'"
  names   = [for source in var.enabled : trimprefix(source, "source.")]
  arguments = var.arguments == null ? (
    var.machine == "aarch64" ? [
      ["-device", "virtio-gpu-pci"],
      ] : [
      ["-device", "virtio-serial"],
      ["-chardev", "socket,name=agent,id=agent,server=on,wait=off"],
      ["-device", "virtserialport,chardev=agent,name=agent"],
    ]
  ) : var.arguments
  answers = var.windows ? ["${path.root}/answers.xml"] : null
}

source "qemu" "one" {
  accelerator       = "kvm"
  display           = "virtio-vga"
  efi_boot          = false
  efi_firmware_code = null
  efi_drop_efivars  = true
  use_pflash        = false
  qemuargs          = local.arguments
  boot_command      = ["<wait><esc>auto url=http://{{ .HTTPIP }}:{{ .HTTPPort }}/answers<enter>"]
  boot_wait         = var.wait == null ? "10s" : var.wait
  cd_files          = local.answers
  cd_content        = null
  disk_size         = var.windows ? 131072 : 65536
  floppy_files      = null
  http_directory    = path.root
  iso_checksum      = "none"
  iso_url           = "${path.root}/many.pkr.hcl"
  iso_target_path   = "${path.root}/../builds/${var.system}-${substr(sha256("x"), 0, 8)}.iso"
  memory            = 3072
  output_directory  = "${path.root}/../builds/${var.system}-qemu"
  shutdown_command  = "echo 'vagrant' | sudo -S /sbin/halt -h -p"
  ssh_username      = "vagrant"
  ssh_password      = "vagrant"
  ssh_timeout       = "15m"
  winrm_username    = "vagrant"
  winrm_password    = "vagrant"
  winrm_timeout     = "60m"
  vm_name           = "${var.system}-${var.machine == "x86_64" ? "amd64" : var.machine}"
}

source "null" "one" {
  communicator = "none"
}

build {
  sources = var.enabled

  provisioner "shell" {
    environment_vars  = local.surroundings
    execute_command   = local.command
    expect_disconnect = true
    pause_before      = "10s"
    scripts           = local.scripts
    valid_exit_codes  = [0, 143]
    except            = var.windows ? local.names : null
  }
  provisioner "powershell" {
    elevated_user     = "vagrant"
    elevated_password = "vagrant"
    scripts           = local.scripts
    except            = var.windows ? null : local.names
  }

  post-processor "vagrant" {
    compression_level    = 9
    output               = "${path.root}/../builds/${var.system}-${var.machine}.{{ .Provider }}.box"
    vagrantfile_template = var.windows ? "${path.root}/windows.template" : null
    architecture         = "${var.machine == "x86_64" ? "amd64" : var.machine == "aarch64" ? "arm64" : var.machine}"
    except               = ["null.one"]
  }
}
