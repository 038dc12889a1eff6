#!/bin/sh
# Restarts a running Zabbix agent 2, if it would start with the configuration that it has now; says in one sentence why not otherwise.
#
# A second agent tries the configuration, with sockets of its own: with those of the running agent, 6.0 and 7.0 up to 7.0.22 would take them
# away from it for good. Of an option that is there twice the last value counts.
set -u
umask 022

unit=zabbix-agent2.service
program="${DPKG_ROOT:-}/usr/sbin/zabbix_agent2"
conf_dir="${DPKG_ROOT:-}/etc/zabbix"
conf="$conf_dir/zabbix_agent2.conf"
limit_s=30
longest=600

say() { echo "zabbix-agent2-plugin-hosting: $*" >&2; }

# keep prints the line of an agent's output that tells what is wrong. A plugin that ended makes agent 6.0 say so thousands of times.
keep() {
	lines=$(grep -v -e 'failed to read response for plugin' -e '^[[:space:]]*$') || return 0
	line=$(printf '%s\n' "$lines" | grep -m 1 -e 'ERROR: ' -e '^panic: ') || line=$(printf '%s\n' "$lines" | tail -n 1)
	printf '%s\n' "$line" | cut -c "1-$longest"
}

systemctl --quiet is-active "$unit" || exit 0
if ! dir=$(mktemp -d); then
	say "the agent was not restarted, as its configuration cannot be tested: no temporary directory; free space, then run: systemctl restart $unit"
	exit 0
fi
trap 'rm -rf "$dir"' EXIT

# Relative Include= are relative to the file that the agent is given.
mkdir "$dir/conf"
ln -s "$conf_dir"/* "$dir/conf/"
cat >"$dir/conf/hosting-trial.conf" <<END
Include=$conf
LogType=console
PidFile=$dir/pid
ControlSocket=$dir/control
PluginSocket=$dir/plugin
END

user=$(systemctl show --property=User --value "$unit")
case "$user" in
"" | root) set -- "$program" ;;
*)
	chown "$user" "$dir"
	set -- runuser -u "$user" -- "$program"
	;;
esac
said=$(timeout -k 5 "$limit_s" "$@" -c "$dir/conf/hosting-trial.conf" -t hosting.plugin.get </dev/null 2>&1)
status=$?

if [ "$status" -ne 0 ]; then
	reason=$(printf '%s\n' "$said" | keep)
	case "$status" in
	124 | 137) reason="it was not done with it in $limit_s s${reason:+, and said: $reason}" ;;
	esac
	say "the agent was not restarted, as it would not start with its configuration (${reason:-status $status}); mend that, then run: systemctl restart $unit"
	exit 0
fi

case "$said" in
*"Unknown metric"*)
	if [ -e "$conf_dir/zabbix_agent2.d/plugins.d/hosting.conf" ]; then
		say "the agent does not offer the plugin's items; let $conf have the line Include=./zabbix_agent2.d/plugins.d/*.conf, and no DenyKey= that forbids hosting.*"
	fi
	;;
esac

if command -v deb-systemd-invoke >/dev/null; then
	set -- deb-systemd-invoke
else
	set -- systemctl
fi
"$@" restart "$unit" || say "the agent could not be restarted; see: journalctl -u $unit"
exit 0
