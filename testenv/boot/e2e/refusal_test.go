//go:build systemd

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/testenv/boot"
)

func TestAnNginxThatOthersCouldChangeIsNotTestedAsRoot(t *testing.T) {
	t.Parallel()
	h := newInstalled(t, oldest())
	h.sh("useradd --create-home customer")
	for _, test := range []struct{ name, open, mend, path string }{
		{"its configuration file", "chmod o+w /etc/nginx/nginx.conf", "chmod o-w /etc/nginx/nginx.conf", "/etc/nginx/nginx.conf"},
		{"its configuration's directory", "chown www-data /etc/nginx", "chown root /etc/nginx", "/etc/nginx"},
		{
			"a file that it includes", "echo 'server { listen 8080; }' >/etc/nginx/conf.d/customer.conf; chown customer /etc/nginx/conf.d/customer.conf",
			"rm /etc/nginx/conf.d/customer.conf", "/etc/nginx/conf.d/customer.conf",
		},
		{
			"a file that it includes from a customer's home", "install -o customer /dev/null /home/customer/site.conf; echo 'include /home/customer/*.conf;' >/etc/nginx/conf.d/home.conf",
			"rm /etc/nginx/conf.d/home.conf", "/home/customer",
		},
		{"its program", "chmod g+w /usr/sbin/nginx", "chmod g-w /usr/sbin/nginx", "/usr/sbin/nginx"},
		{"its program's directory", "chown www-data /usr/sbin", "chown root /usr/sbin", "/usr/sbin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inner := &host{h.Machine, t}
			inner.sh(test.open)
			defer func() {
				inner.sh(test.mend)
				inner.root("systemctl", "stop", helperService)
				requireTested(inner, nginx.StateValid)
			}()
			// A helper that has just started tests everything; one that runs does when a file has changed.
			inner.root("systemctl", "stop", helperService)
			report := requireTested(inner, nginx.StateUnsafeRefused)
			require.Contains(t, report.Sentence, test.path+" ", "the sentence names the path")
			t.Log(report.Sentence)
		})
	}
}

func TestAConfigurationOfTheHelperThatOthersCouldChangeIsRefused(t *testing.T) {
	for name, test := range map[string]struct{ open, mend, sentence string }{
		"one that others may write": {"chmod o+w " + helperConf, "chmod o-w " + helperConf, "cannot use " + helperConf + ": it is writable for others; run chmod go-w " + helperConf},
		"one of another user's":     {"chown zabbix " + helperConf, "chown root " + helperConf, "cannot use " + helperConf + ": it belongs to another user; run chown root " + helperConf},
		"one that is wrong":         {"echo 'idle = 1' >" + helperConf, ": >" + helperConf, "there is no option \"idle\"; known are "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newInstalled(t, oldest())
			h.sh(test.open)
			h.root("systemctl", "stop", helperService)
			require.Contains(t, h.failure(rootKey), test.sentence)
			require.Contains(t, helperStatus(h).ConfigurationError, test.sentence)
			require.Equal(t, helper.CodeConfiguration, decode[helper.Failure](h, h.askHelper(agentUser, "/v1/slabinfo")).Code)
			require.Contains(t, h.journal(helperService), test.sentence)

			h.sh(test.mend)
			// The helper reads it again when it has been idle for a second and is started anew.
			h.eventually(func() bool {
				time.Sleep(2 * time.Second)
				return h.try(boot.Root, "ask", rootKey).Status == 0
			}, func() string { return "it is not read again: " + h.journal(helperService) })
		})
	}
}
