//go:build e2e

package e2e

import "testing"

const (
	memoryFile = "linux_kernel_memory_by_zabbix_agent2.yaml"
	nginxFile  = "nginx_configuration_safety_by_zabbix_agent2.yaml"
	siteFile   = "hosting_test_site_by_zabbix_agent2.yaml"
)

// Severities of triggers.
const (
	warning = 2
	high    = 4
)

func TestTriggersGoToProblemAndBack(t *testing.T) {
	playAll(t, map[string]scenario{
		"unreclaimable slab memory is above its limit for 5 minutes": {
			template: memoryFile,
			bad:      []change{{"hosting.memory.get", "sunreclaim_pct", 12.5}},
			trigger:  "Linux kernel memory: SUnreclaim is high",
			event:    `^Linux kernel memory: SUnreclaim is high \(over 10% of RAM for 5m\), fastest growing cache: \S+$`,
			opData:   `^SUnreclaim: 12\.5 % of RAM$`,
			severity: warning,
		},
		"a limit is the host's own": {
			template: memoryFile,
			macros:   map[string]string{"{$KMEM.SUNRECLAIM.PCT.MAX.WARN}": "3"},
			bad:      []change{{"hosting.memory.get", "sunreclaim_pct", 4}},
			trigger:  "Linux kernel memory: SUnreclaim is high",
			event:    `\(over 3% of RAM for 5m\)`,
			opData:   `^SUnreclaim: 4 % of RAM$`,
			severity: warning,
		},
		"nginx refuses its configuration": {
			template: nginxFile,
			good:     []change{{"hosting.nginx.config", "state", 0}, {"hosting.nginx.config", "sentence", ""}, {"hosting.nginx.config", "errors", []any{}}},
			trigger:  "Nginx configuration: /etc/nginx/nginx.conf: Is invalid",
			event:    `: Is invalid: the next reload or restart fails: unknown directive "proxy_pas" in /etc/nginx/sites-enabled/shop\.conf:12$`,
			opData:   `^Place: /etc/nginx/sites-enabled/shop\.conf:12$`,
			severity: high,
		},
		"a site fails many times in a row": {
			template: siteFile,
			bad:      []change{{"hosting.site.get", "consecutive_failures", 7}},
			trigger:  "Hosting test site: shop: Is down",
			event:    `^Hosting test site: shop: Is down \(at least 6 failures in a row\): .+$`,
			opData:   `^Failures in a row: 7$`,
			severity: high,
		},
	})
}
