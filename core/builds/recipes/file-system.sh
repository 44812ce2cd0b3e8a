#!/bin/sh
# Writes the tree "$1" as the only partition of the disk, with the owners that it has.
# Needs: BOXWRIGHT_DISK (a file of the disk's size), BOXWRIGHT_OFFSET (bytes), BOXWRIGHT_KIB (the
# partition's size), BOXWRIGHT_LABEL.
set -eu
echo "boxwright: phase file-system"
PATH=$PATH:/usr/sbin:/sbin
# The disk is a new sparse file, all zeros: nothing needs to be cleared, now or by the guest later on.
exec mke2fs -F -q -t ext4 -L "$BOXWRIGHT_LABEL" -m 1 -d "$1" \
    -E "offset=$BOXWRIGHT_OFFSET,assume_storage_prezeroed=1,root_owner=0:0" \
    "$BOXWRIGHT_DISK" "${BOXWRIGHT_KIB}k"
