#!/bin/sh
# After the files are removed. $1 is remove, purge, upgrade, abort-install, … for dpkg, 0 (the last) or 1 (one stays) for rpm.
set -e

root="${DPKG_ROOT:-}"
conf="$root/etc/zabbix/zabbix_agent2.d/plugins.d/hosting.conf"

case "$1" in
abort-install)
	# preinst brought it back, and the program did not come.
	if [ -e "$conf" ]; then
		mv -f "$conf" "$conf.disabled"
	fi
	;;
purge)
	rm -f "$conf.disabled"
	;;
esac

case "$1" in
remove | 0)
	# The units are gone, and with them what they changed of the agent's.
	if [ -d "$root/run/systemd/system" ]; then
		systemctl daemon-reload
	fi
	;;
esac
