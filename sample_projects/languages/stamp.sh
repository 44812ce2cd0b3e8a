#!/bin/sh
# Says in the system which description it was built from.
set -eu
echo "built from ${LANGUAGE}" > /srv/www/stamp.txt
cat /srv/www/stamp.txt
