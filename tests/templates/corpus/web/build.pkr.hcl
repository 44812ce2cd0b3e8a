build {
  name        = "shop"
  description = "What the shop runs on."
  sources     = ["source.null.first", "source.file.note"]

  source "source.null.second" {
    name = "renamed"
  }

  provisioner "shell-local" {
    inline           = ["echo ${local.image}", "echo $${HOME} ${build.ID}"]
    environment_vars = ["TOKEN=${var.token}", "NAME=${source.name}"]
    only             = ["null.first"]
    max_retries      = var.retries
    pause_before     = "1s"
    timeout          = "5m"
  }

  provisioner "file" {
    source      = "${path.root}/build.pkr.hcl"
    destination = "/tmp/x"
    except      = ["file.note"]
    override = {
      renamed = {
        destination = "/tmp/y"
      }
    }
  }

  post-processor "manifest" {
    output              = "${local.image}.json"
    keep_input_artifact = true
  }

  post-processors {
    post-processor "checksum" {
      checksum_types = ["sha256"]
    }
    post-processor "compress" {
      output = "out.tar.gz"
    }
  }
}
