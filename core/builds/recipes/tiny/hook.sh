#!/bin/sh
# Makes the tiny system's file system from packages that are unpacked, not installed, in "$1".
# Needs: BOXWRIGHT_RECIPES (the folder of recipes), BOXWRIGHT_KEYS (authorized_keys).
set -eu
unpacked=$1
tree=$unpacked/tiny
say() { echo "boxwright: $*"; }

say "phase tree"
kernel=$(cd "$unpacked/lib/modules" && echo *)
mkdir -p "$tree"/usr/bin "$tree"/usr/sbin "$tree"/usr/lib "$tree"/usr/lib64 "$tree"/boot "$tree"/dev \
    "$tree"/proc "$tree"/sys "$tree"/run "$tree"/tmp "$tree"/mnt "$tree"/srv "$tree"/etc/dropbear \
    "$tree"/var/log "$tree"/var/lib "$tree"/var/tmp "$tree"/usr/local/bin "$tree"/usr/local/sbin \
    "$tree"/home/vagrant/.ssh "$tree"/root "$tree"/opt
for name in bin sbin lib lib64; do ln -s "usr/$name" "$tree/$name"; done
ln -s ../run "$tree/var/run"
chmod 1777 "$tree/tmp" "$tree/var/tmp"
chmod 0700 "$tree/root"
ln -s /proc/self/mounts "$tree/etc/mtab"

# A program or library with all the libraries that it is linked to, under the paths that they have.
take() {
    for file in "$@"; do
        install -D -m "$(stat -c %a "$unpacked$file")" "$unpacked$file" "$tree$file"
        chroot "$unpacked" /lib64/ld-linux-x86-64.so.2 --list "$file" |
            sed -n 's#^.* => \(/[^ ]*\) (.*#\1#p; s#^\t\(/[^ ]*\) (.*#\1#p' |
            while read -r library; do
                [ -e "$tree$library" ] || install -D -m 0755 "$unpacked$library" "$tree$library"
            done
    done
}
install -m 0755 "$unpacked/bin/busybox" "$tree/bin/busybox"
chroot "$tree" /bin/busybox --install -s
take /usr/sbin/dropbear /usr/bin/dropbearkey /usr/bin/sudo /usr/libexec/sudo/sudoers.so \
    /lib/x86_64-linux-gnu/security/pam_permit.so \
    /lib/x86_64-linux-gnu/security/pam_deny.so
cp -a "$unpacked/usr/libexec/sudo/libsudo_util.so.0" "$unpacked/usr/libexec/sudo/libsudo_util.so.0.0.0" \
    "$tree/usr/libexec/sudo/"

say "phase settings"
rm "$tree/sbin/poweroff" "$tree/sbin/reboot" "$tree/sbin/halt"
cp -R "$BOXWRIGHT_RECIPES/tiny/rootfs/." "$tree/"
ln -s poweroff "$tree/sbin/reboot"
ln -s poweroff "$tree/sbin/halt"
find "$tree/etc" -type f -exec chmod 0644 {} +
chmod 0755 "$tree"/etc/init.d/* "$tree"/etc/acpi/PWRF/* "$tree/sbin/poweroff" "$tree/usr/share/udhcpc/default.script"
chmod 0600 "$tree/etc/shadow"
chmod 0440 "$tree/etc/sudoers"
mkdir -p -m 0750 "$tree/etc/sudoers.d"
echo tiny > "$tree/etc/hostname"
install -m 0600 "$BOXWRIGHT_KEYS" "$tree/home/vagrant/.ssh/authorized_keys"
chmod 0700 "$tree/home/vagrant/.ssh"
chmod 0755 "$tree/home/vagrant"
chown -R 1000:1000 "$tree/home/vagrant"

say "phase kernel"
modules="kernel/drivers/virtio kernel/drivers/block/virtio_blk.ko kernel/drivers/net/virtio_net.ko
    kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko kernel/drivers/acpi/button.ko
    kernel/drivers/input/evdev.ko kernel/drivers/char/hw_random/virtio-rng.ko
    kernel/drivers/char/virtio_console.ko kernel/drivers/ata/libata.ko
    kernel/drivers/ata/ata_piix.ko kernel/drivers/scsi/scsi_common.ko kernel/drivers/scsi/scsi_mod.ko
    kernel/drivers/scsi/sd_mod.ko"
from=$unpacked/lib/modules/$kernel
to=$tree/lib/modules/$kernel
for module in $modules; do
    mkdir -p "$(dirname "$to/$module")"
    cp -R "$from/$module" "$to/$module"
done
cp "$from/modules.builtin" "$from/modules.builtin.modinfo" "$from/modules.order" "$to/"
chroot "$unpacked" /sbin/depmod -b /tiny "$kernel"
cp "$unpacked/boot/vmlinuz-$kernel" "$tree/boot/vmlinuz"

say "phase initramfs"
early=$unpacked/early
mkdir -p "$early/bin" "$early/dev" "$early/root" "$early/modules"
cp "$unpacked/bin/busybox" "$early/bin/busybox"
ln -s busybox "$early/bin/sh"
# modules.dep names a module and what it needs, the nearest need first: loaded from the far end.
early_modules() {
    order=$1
    shift
    for module in "$@"; do
        grep "/$module.ko:" "$to/modules.dep" | tr -d : | tr ' ' '\n' | tac
    done | awk '!seen[$0]++' | while read -r module; do
        cp "$from/$module" "$early/modules/"
        basename "$module" >> "$early/modules/$order"
    done
}
early_modules virtio virtio_pci virtio_blk
early_modules ide ata_piix sd_mod
install -m 0755 "$BOXWRIGHT_RECIPES/tiny/early-init" "$early/init"
(cd "$early" && find . | LC_ALL=C sort | chroot "$unpacked" /bin/busybox sh -c \
    'cd /early && exec busybox cpio -o -H newc' > "$tree/boot/initrd" 2>/dev/null)

rm -rf "$early"
exec sh "$BOXWRIGHT_RECIPES/file-system.sh" "$tree"
