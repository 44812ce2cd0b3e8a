#!/bin/sh
# Writes the tree "$1" as the only partition of the disk, with the owners that it has.
# Needs: BOXWRIGHT_DISK (a file of the disk's size), BOXWRIGHT_OFFSET (bytes), BOXWRIGHT_KIB (the
# partition's size), BOXWRIGHT_LABEL, BOXWRIGHT_WORK (a private folder). With BOXWRIGHT_ROOT the tree becomes
# that archive, too, without what only a machine needs: kernel and boot loader; without a disk only that.
set -eu
echo "boxwright: phase file-system"
PATH=$PATH:/usr/sbin:/sbin
# A view of the tree without what is mounted in it: /proc, /sys and devices stay out of the image.
view=$BOXWRIGHT_WORK/view
mkdir "$view"
mount --bind "$1" "$view"
trap 'umount "$view" && rmdir "$view"' EXIT
if [ "${BOXWRIGHT_ROOT:-}" ]; then
    tar -C "$view" --numeric-owner --exclude='./boot/*' --exclude='./vmlinuz*' --exclude='./initrd*' \
        --exclude='./lost+found' --exclude='./usr/lib/modules/*' --exclude='./lib/modules/*' \
        -cf "$BOXWRIGHT_ROOT" .
fi
[ "${BOXWRIGHT_DISK:-}" ] || exit 0
# The disk is a new sparse file, all zeros: nothing needs to be cleared, now or by the guest later on.
mke2fs -F -q -t ext4 -L "$BOXWRIGHT_LABEL" -m 1 -d "$view" \
    -E "offset=$BOXWRIGHT_OFFSET,assume_storage_prezeroed=1,root_owner=0:0" \
    "$BOXWRIGHT_DISK" "${BOXWRIGHT_KIB}k"
