module zabbix-agent2-plugin-hosting

go 1.26.0

require (
	github.com/cilium/ebpf v0.22.0
	github.com/prometheus/procfs v0.23.0
	github.com/stretchr/testify v1.12.1
	go.yaml.in/yaml/v3 v3.0.5
	golang.org/x/sys v0.49.0
	golang.zabbix.com/sdk v1.2.2-0.20251205121608-d9643740a558
)

require (
	github.com/BurntSushi/toml v1.6.0
	github.com/HdrHistogram/hdrhistogram-go v1.4.0
	github.com/coreos/go-systemd/v22 v22.7.0
	golang.org/x/sync v0.25.0
)

require github.com/godbus/dbus/v5 v5.1.0
