source "null" "first" {
  communicator = "none"
}

source "null" "second" {
  ssh_host     = "127.0.0.1"
  ssh_username = var.user.name
  ssh_password = "none"
}

source "file" "note" {
  content = local.motd
  target  = "note.txt"
}
