#!/bin/sh
# After the files are unpacked. $1 is configure or abort-… for dpkg, 1 (the first) or 2 (one more) for rpm.
set -e

root="${DPKG_ROOT:-}"
socket=zabbix-hosting-helper.socket
service=zabbix-hosting-helper.service
conf="$root/etc/zabbix/zabbix_agent2.d/plugins.d/hosting.conf"

has() { command -v "$1" >/dev/null; }

# An administrator who disabled the socket has it disabled after an upgrade, too.
enable_socket() {
	if has deb-systemd-helper; then
		if deb-systemd-helper --quiet was-enabled "$socket"; then
			deb-systemd-helper enable "$socket" >/dev/null
		else
			deb-systemd-helper update-state "$socket" >/dev/null
		fi
	elif [ "$1" = 1 ] && has systemctl; then
		systemctl --no-reload enable "$socket"
	fi
}

# deb-systemd-invoke asks the host's policy, where it has one.
manage() {
	if has deb-systemd-invoke; then
		deb-systemd-invoke "$@"
	else
		systemctl "$@"
	fi
}

# The next client starts the new helper. Both are stopped at once: a client in between would start the old one, beside which the socket
# cannot start again.
renew_helper() {
	manage stop "$socket" "$service"
	if systemctl --quiet is-enabled "$socket"; then
		manage start "$socket"
	fi
}

case "$1" in
abort-remove)
	# The program stays after all.
	if [ -e "$conf.disabled" ] && [ ! -e "$conf" ]; then
		mv "$conf.disabled" "$conf"
	fi
	;;
configure | abort-* | 1 | 2) ;;
*) exit 0 ;;
esac

enable_socket "$1"
if [ -d "$root/run/systemd/system" ]; then
	systemctl daemon-reload
	renew_helper || echo "zabbix-agent2-plugin-hosting: the helper's socket is not up; see: systemctl status $socket" >&2
	"$root/usr/lib/zabbix-agent2-plugin-hosting/restart-agent"
fi
