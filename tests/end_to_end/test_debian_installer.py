"""Debian's own installer, without anybody at the keyboard: from its kernel to a box that boots."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.workshop import PROGRAM, Workshop
from tests.support.debian_mirror import mirror, missing
from tests.support.installer_suite import KEY, SUITE, lay
from tests.support.syslog import listening

INSTALLER = Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")
PATIENCE = 3 * 3600
"""Seconds: processors are emulated, and other work may run beside."""

pytestmark = [pytest.mark.real, pytest.mark.netboot]

PRESEED = """\
d-i debian-installer/locale string en_US.UTF-8
d-i keyboard-configuration/xkb-keymap select us
d-i netcfg/choose_interface select auto
d-i mirror/country string manual
d-i mirror/protocol string http
d-i mirror/http/hostname string 10.0.2.2:{port}
d-i mirror/http/directory string /debian
d-i mirror/http/proxy string
d-i mirror/suite string bookworm
d-i passwd/root-login boolean false
d-i passwd/user-fullname string Vagrant
d-i passwd/username string vagrant
d-i passwd/user-password password vagrant
d-i passwd/user-password-again password vagrant
d-i clock-setup/utc boolean true
d-i clock-setup/ntp boolean false
d-i time/zone string UTC
d-i partman-auto/disk string /dev/vda
d-i partman-auto/method string regular
d-i partman-basicfilesystems/no_swap boolean false
d-i partman-auto/expert_recipe string one :: 500 1000 -1 ext4 $primary{{ }} $bootable{{ }} \\
 method{{ format }} format{{ }} use_filesystem{{ }} filesystem{{ ext4 }} mountpoint{{ / }} .
d-i partman-partitioning/confirm_write_new_label boolean true
d-i partman/choose_partition select finish
d-i partman/confirm boolean true
d-i partman/confirm_nooverwrite boolean true
d-i base-installer/install-recommends boolean false
d-i base-installer/kernel/image string linux-image-cloud-amd64
d-i base-installer/initramfs-tools/driver-policy select dep
d-i apt-setup/services-select multiselect
d-i apt-setup/disable-cdrom-entries boolean true
d-i pkgsel/run_tasksel boolean false
d-i pkgsel/include string openssh-server sudo
d-i pkgsel/upgrade select none
d-i pkgsel/update-policy select none
popularity-contest popularity-contest/participate boolean false
d-i grub-installer/only_debian boolean true
d-i grub-installer/bootdev string /dev/vda
d-i finish-install/reboot_in_progress note
d-i preseed/late_command string \\
 echo 'vagrant ALL=(ALL) NOPASSWD: ALL' > /target/etc/sudoers.d/vagrant; \\
 echo 'GRUB_TERMINAL=serial' >> /target/etc/default/grub; in-target update-grub
"""

OWN_SUITE = """\
d-i mirror/udeb/suite string {suite}
d-i preseed/early_command string \\
 wget -q -O - http://10.0.2.2:{port}/debian/{key} >> /usr/share/keyrings/debian-archive-keyring.gpg
"""
"""Where components come from, with the key by which they are signed, if not from the release's own suite."""

TEMPLATE = """\
variable "log_port" {}
source "qemu" "installed" {
  iso_url          = "boot.iso"
  iso_checksum     = "none"
  disk_size        = "2G"
  disk_cache       = "unsafe"
  memory           = 1300
  accelerator      = "tcg"
  http_directory   = "www"
  boot_wait        = "8s"
  boot_key_interval = "20ms"
  boot_command = [
    "linux /linux auto=true priority=critical url=http://{{ .HTTPIP }}:{{ .HTTPPort }}/preseed.cfg ",
    "hostname=installed domain= DEBIAN_FRONTEND=text log_host=10.0.2.2 log_port=${var.log_port} ",
    "console=ttyS0 --- console=tty0 console=ttyS0 net.ifnames=0<enter><wait5>",
    "initrd /initrd.gz<enter><wait20>boot<enter>",
  ]
  ssh_username     = "vagrant"
  ssh_password     = "vagrant"
  ssh_timeout      = "3h"
  shutdown_command = "sudo poweroff"
  shutdown_timeout = "10m"
}
build {
  sources = ["qemu.installed"]
  provisioner "shell" {
    inline = [
      "mkdir -pm 700 .ssh",
      "echo '${file("vagrant.pub")}' > .ssh/authorized_keys",
      "sudo sh -c 'echo provisioned > /etc/provisioned'",
    ]
  }
  post-processor "vagrant" { output = "installed.box" }
}
"""


def boot_medium(folder: Path, target: Path) -> None:
    """A CD with the installer's kernel, and a boot loader that waits for what is typed."""
    cd = folder / "cd"
    cd.mkdir()
    for name in ("linux", "initrd.gz"):
        shutil.copy(INSTALLER / name, cd / name)
    modules = ("biosdisk", "iso9660", "normal", "linux", "at_keyboard", "terminal", "echo")
    make = ["grub-mkimage", "-O", "i386-pc-eltorito", "-p", "/boot", "-o", str(cd / "boot.img"), *modules]
    subprocess.run(make, check=True, capture_output=True)
    burn = [
        "xorriso", "-as", "mkisofs", "-quiet", "-o", str(target), "-b", "boot.img", "-no-emul-boot",
        "-boot-load-size", "4", "-boot-info-table", "-r", str(cd),
    ]  # fmt: skip
    subprocess.run(burn, check=True, capture_output=True)


@pytest.fixture
def shop(folder: Path) -> Iterator[Workshop]:
    shop = Workshop(folder)
    yield shop
    shop.close()


COMPONENTS = (
    "partman-base", "partman-auto", "partman-utils", "e2fsprogs-udeb", "bootstrap-base", "debootstrap-udeb",
    "apt-setup-udeb", "apt-mirror-setup", "pkgsel", "grub-installer", "finish-install", "user-setup-udeb",
)  # fmt: skip
"""Some of those without which nothing is installed; not every mirror has them."""


def test_an_unattended_installation_ends_in_a_box_that_boots(shop: Workshop, folder: Path) -> None:
    absent = missing("bookworm", "amd64", COMPONENTS, folder)
    laid, own = None, ""
    if absent:
        print(f"apt's archive has not all that the installer loads: {', '.join(absent)}")
        laid, own = folder / "laid", OWN_SUITE
        lay(laid, "bookworm", "amd64", folder / "laying")
    boot_medium(folder, shop.project / "boot.iso")
    (shop.project / "www").mkdir()
    (shop.project / "installed.pkr.hcl").write_text(TEMPLATE)
    _keys(shop)
    log = folder / "installer.log"
    with mirror("bookworm", folder / "mirror", laid) as port, listening(log) as log_port:
        preseed = (PRESEED + own).format(port=port, suite=SUITE, key=KEY)
        (shop.project / "www/preseed.cfg").write_text(preseed)
        began = time.monotonic()
        build = [str(PROGRAM), "--in-process", "build", "installed.pkr.hcl", "--timestamps"]
        build += ["--var", f"log_port={log_port}"]
        built = subprocess.run(build, cwd=shop.project, env=shop.environment, check=False, timeout=PATIENCE)
        print(f"installed and packed in {(time.monotonic() - began) / 60:.1f} minutes")
    assert built.returncode == 0, f"the installer's last words:\n{log.read_text(errors='replace')[-5000:]}"
    shop.describe('[machines.web]\nbox = "installed"\nmemory = "512MiB"\nboot_timeout = 1200\n')
    shop.run("box", "add", "installed.box", "--name", "installed")
    began = time.monotonic()
    subprocess.run([PROGRAM, "up"], cwd=shop.project, env=shop.environment, check=True, timeout=PATIENCE)
    print(f"up from the box in {(time.monotonic() - began) / 60:.1f} minutes")
    said = shop.inside("cat /etc/provisioned; . /etc/os-release; echo $VERSION_ID; hostname; sudo id -un")
    assert said.split() == ["provisioned", "12", "installed", "root"]
    shop.run("destroy", "--yes")


def _keys(shop: Workshop) -> None:
    """The well-known public key by which a machine of a box is reached at first."""
    from core.guests.keys import insecure_keys

    rsa = next(path for path in insecure_keys(shop.folder / "keys") if "rsa" in path.name)
    said = subprocess.run(["ssh-keygen", "-y", "-f", rsa], check=True, capture_output=True, text=True)
    (shop.project / "vagrant.pub").write_text(said.stdout.strip())
