# Packer's newer language. Relative paths start at the folder in which the build is asked for, hence path.root.

variable "suite" {
  type        = string
  default     = "bookworm"
  description = "The release of Debian"
}

source "bootstrap" "site" {
  suite   = var.suite
  flavour = "tiny"
  size    = "1GiB"
  memory  = "256MiB"
  cpus    = 1

  output_directory = "output-hcl"
}

# The same packages as a container.
source "docker" "site" {
  bootstrap {
    suite   = var.suite
    flavour = "tiny"
    size    = "1GiB"
  }
  commit  = true
  changes = ["CMD [\"httpd\", \"-f\", \"-h\", \"/srv/www\"]"]
}

build {
  sources = ["source.bootstrap.site", "source.docker.site"]

  provisioner "file" {
    source      = "${path.root}/../page/"
    destination = "/tmp/page"
  }

  provisioner "shell" {
    inline          = ["mkdir -p /srv/www", "cp -r /tmp/page/. /srv/www"]
    execute_command = "chmod +x {{ .Path }}; sudo env {{ .Vars }} {{ .Path }}"
  }

  provisioner "shell" {
    script           = "${path.root}/../stamp.sh"
    environment_vars = ["LANGUAGE=HCL2"]
    execute_command  = "chmod +x {{ .Path }}; sudo env {{ .Vars }} {{ .Path }}"
  }
}
