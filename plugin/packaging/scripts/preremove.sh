#!/bin/sh
# Before the files are removed. $1 is remove, upgrade or deconfigure for dpkg, 0 (the last) or 1 (one stays) for rpm.
set -e

root="${DPKG_ROOT:-}"
socket=zabbix-hosting-helper.socket
service=zabbix-hosting-helper.service
conf="$root/etc/zabbix/zabbix_agent2.d/plugins.d/hosting.conf"

case "$1" in
remove | 0) ;;
*) exit 0 ;;
esac

# An agent whose plugin is missing does not start, so the line that names it must be gone before the program. dpkg would leave it there.
if [ -e "$conf" ]; then
	mv -f "$conf" "$conf.disabled"
fi

if [ -d "$root/run/systemd/system" ]; then
	systemctl stop "$socket" "$service" || true
	"$root/usr/lib/zabbix-agent2-plugin-hosting/restart-agent"
fi

if command -v deb-systemd-helper >/dev/null; then
	deb-systemd-helper purge "$socket" >/dev/null
elif command -v systemctl >/dev/null; then
	systemctl --no-reload disable "$socket"
fi
