#!/bin/sh
# Before the files are unpacked. $1 is install or upgrade for dpkg, 1 (the first) or 2 (one more) for rpm.
set -e

conf="${DPKG_ROOT:-}/etc/zabbix/zabbix_agent2.d/plugins.d/hosting.conf"

case "$1" in
install | 1)
	# What the last removal put aside, with the administrator's changes.
	if [ -e "$conf.disabled" ] && [ ! -e "$conf" ]; then
		mv "$conf.disabled" "$conf"
	fi
	;;
esac
