#!/bin/sh
# After the essential packages, before the kernel: how the kernel's initial file system is made.
set -eu
root=$1
from=$BOXWRIGHT_RECIPES/debian/initramfs-tools
install -D -m 0644 "$from/conf" "$root/etc/initramfs-tools/conf.d/boxwright"
install -D -m 0755 "$from/hook" "$root/etc/initramfs-tools/hooks/boxwright"
