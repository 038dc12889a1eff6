package settings

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/plugin/config"
)

// Option describes one option for people, and is the only place that knows it.
type Option struct {
	Name        string
	Default     string
	Allowed     string // in words
	Description string
	set         func(*Settings, string) error
}

// Options returns every option outside the tables of nginx instances, in the order in which people read them.
func Options() []Option {
	return []Option{
		{
			Name: "user", Default: defaultUser, Allowed: "the name of a user",
			Description: "Who may ask the helper, beside root: the user of the agent.",
			set:         func(s *Settings, value string) error { return setText(&s.User, value) },
		},
		{
			Name: "idle_exit", Default: "10m", Allowed: "a time from 1s to 24h",
			Description: "How long after the last request the helper ends; systemd starts it again at the next one. It forgets then: make it longer than the items' interval.",
			set:         func(s *Settings, value string) error { return setTime(&s.IdleExit, value, time.Second, 24*time.Hour) },
		},
		ofPlugin("NginxRevalidate", func(s *Settings, o config.Options) { s.NginxRevalidate = o.NginxRevalidate }),
		ofPlugin("NginxTimeout", func(s *Settings, o config.Options) { s.NginxTimeout = o.NginxTimeout }),
		ofPlugin("WatchListeners", func(s *Settings, o config.Options) { s.WatchListeners = o.WatchListeners }),
		ofPlugin("WatchKills", func(s *Settings, o config.Options) { s.WatchKills = o.WatchKills }),
		ofPlugin("SlabSession", func(s *Settings, o config.Options) { s.SlabSession = o.SlabSession }),
		ofPlugin("SlabSessionCPU", func(s *Settings, o config.Options) { s.SlabSessionCPUPct = o.SlabSessionCPUPct }),
		ofPlugin("SlabSessionEvery", func(s *Settings, o config.Options) { s.SlabSessionEvery = o.SlabSessionEvery }),
	}
}

// ofPlugin is an option that the plugin has, too, by the name that it gives it.
func ofPlugin(pluginName string, take func(*Settings, config.Options)) Option {
	for _, o := range config.All() {
		if o.Name != pluginName {
			continue
		}

		return Option{
			Name: o.Helper, Default: o.Default, Allowed: o.Allowed, Description: o.Description,
			set: func(s *Settings, value string) error {
				var parsed config.Options
				if !o.Set(&parsed, value) {
					return errNotAllowed
				}

				take(s, parsed)

				return nil
			},
		}
	}

	panic("config has no option " + pluginName) // the tests of this package call it
}

var errNotAllowed = errors.New("it is not allowed")

func setTime(target *time.Duration, value string, least, most time.Duration) error {
	parsed, ok := config.ParseDuration(value)
	if !ok || parsed < least || parsed > most {
		return errNotAllowed
	}

	*target = parsed

	return nil
}

func setText(target *string, value string) error {
	if *target = value; value == "" {
		return errNotAllowed
	}

	return nil
}

// apply sets the option, whose value in TOML must be a text.
func (o Option) apply(s *Settings, value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("%s is no text: allowed is %s, in quotes", o.Name, o.Allowed)
	}

	if o.set(s, text) != nil {
		return fmt.Errorf("%s = %q: allowed is %s", o.Name, text, o.Allowed)
	}

	return nil
}

func names() []string {
	var all []string
	for _, o := range Options() {
		all = append(all, o.Name)
	}

	return all
}

// File is the documented configuration file, with every option at its default and commented out.
func File() string {
	var text strings.Builder

	text.WriteString(`# Configuration of zabbix-hosting-helper, the part of zabbix-agent2-plugin-hosting that is root.
# Every option may be left out. Only root may be able to write this file, or the helper refuses it.
# After a change: systemctl restart zabbix-hosting-helper.service; zabbix-hosting-helper --check tells what is wrong.
`)

	for _, o := range Options() {
		fmt.Fprintf(&text, "\n# %s\n# Allowed is %s.\n#%s = %q\n", o.Description, o.Allowed, o.Name, o.Default)
	}

	text.WriteString("\n# An nginx that runs needs no entry here. One that must be tested even while it is stopped has a table with its name.\n#[nginx.edge]\n")

	for _, o := range config.NginxOptions() {
		fmt.Fprintf(&text, "# %s Allowed is %s.\n#%s = %q\n", o.Description, o.Allowed, strings.ToLower(o.Name), examples[o.Name])
	}

	return text.String()
}

// examples are values of the options of an nginx instance.
var examples = map[string]string{"Binary": "/usr/sbin/nginx", "Config": "/etc/nginx/nginx.conf", "Prefix": "/etc/nginx/"}
