#!/bin/sh
# After all packages: what makes a system of them that Boxwright and Vagrant can use.
# Needs: BOXWRIGHT_RECIPES (the folder of recipes), BOXWRIGHT_KEYS (authorized_keys), BOXWRIGHT_LABEL.
set -eu
root=$1
echo "boxwright: phase settings"
cp -R "$BOXWRIGHT_RECIPES/debian/rootfs/." "$root/"
chown -R 0:0 "$root/etc/systemd" "$root/etc/sudoers.d" "$root/boot/grub"
chmod 0440 "$root/etc/sudoers.d/vagrant"
echo "LABEL=$BOXWRIGHT_LABEL / ext4 errors=remount-ro,noatime 0 1" > "$root/etc/fstab"
echo debian > "$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 debian\n::1 localhost ip6-localhost ip6-loopback\n' > "$root/etc/hosts"
echo "LANG=C.UTF-8" > "$root/etc/default/locale"
sed -i "s/@LABEL@/$BOXWRIGHT_LABEL/" "$root/boot/grub/grub.cfg"

chroot "$root" useradd --create-home --user-group --uid 1000 --shell /bin/bash --groups sudo vagrant
home=$root/home/vagrant
install -d -m 0700 -o 1000 -g 1000 "$home/.ssh"
install -m 0600 -o 1000 -g 1000 "$BOXWRIGHT_KEYS" "$home/.ssh/authorized_keys"

chroot "$root" systemctl --quiet enable systemd-networkd.service boxwright-host-keys.service
# Where the resolver is part of systemd, it is not switched on by its package.
chroot "$root" systemctl --quiet enable systemd-resolved.service
ln -sf /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"

# What must be each machine's own is made at its first boot.
rm -f "$root"/etc/ssh/ssh_host_*_key "$root"/etc/ssh/ssh_host_*_key.pub
: > "$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"

rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb
rm -f "$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/var/log/*.log "$root"/var/log/apt/*

exec sh "$BOXWRIGHT_RECIPES/file-system.sh" "$root"
