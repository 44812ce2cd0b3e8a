#!/bin/sh
# Serves a folder by BusyBox's web server, now and after every boot. Arguments: folder, port.
set -eu
folder=$1
port=$2

say() { printf '\033[36m==>\033[0m %s\n' "$*"; }

say "serving $folder on port $port"
mkdir -p /etc/rc.local.d
cat > /etc/rc.local.d/web <<END
#!/bin/sh
exec httpd -p $port -h $folder
END
chmod 755 /etc/rc.local.d/web

say "starting the server"
killall httpd 2>/dev/null || true
/etc/rc.local.d/web </dev/null >/dev/null 2>&1

if wget -q -O - "http://127.0.0.1:$port/" >/dev/null; then
    printf '\033[32mThe page is there.\033[0m\n'
else
    printf '\033[31mThe server does not answer.\033[0m\n'
    exit 1
fi
