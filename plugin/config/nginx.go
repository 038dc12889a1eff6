package config

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
)

const (
	nginxNode = "Nginx"

	minNginxRevalidate = time.Minute
	maxNginxRevalidate = 24 * time.Hour
	minNginxTimeout    = time.Second
	maxNginxTimeout    = 10 * time.Minute
)

// NginxOption describes one option of an nginx instance, below Plugins.Hosting.Nginx.<name>.
type NginxOption = NamedOption[instance.Configured]

func namedNginx() named[instance.Configured] {
	return named[instance.Configured]{
		node: nginxNode, noun: "instance", options: NginxOptions(),
		first: func(name string) instance.Configured { return instance.Configured{Name: name} },
		name:  func(c instance.Configured) string { return c.Name },
	}
}

// NginxOptions returns every option of an nginx instance.
func NginxOptions() []NginxOption {
	return []NginxOption{
		{
			Name: "Binary", Allowed: "an absolute path", Description: "The program of an instance that must be tested even while it does not run.",
			required: true,
			set:      func(c *instance.Configured, value string) error { return setAbsolute(&c.Binary, value) },
		},
		{
			Name: "Config", Allowed: "an absolute path", Description: "Its configuration file; the program's own default if left out.",
			set: func(c *instance.Configured, value string) error { return setAbsolute(&c.Config, value) },
		},
		{
			Name: "Prefix", Allowed: "an absolute path", Description: "Its prefix (-p); the program's own default if left out.",
			set: func(c *instance.Configured, value string) error { return setAbsolute(&c.Prefix, value) },
		},
	}
}

// NewNginx makes an instance of options whose names are in small letters, as the root helper's configuration has them.
func NewNginx(name string, values map[string]string) (instance.Configured, error) {
	made := instance.Configured{Name: name}
	if !groupNames.MatchString(name) {
		return made, errors.New("a name has 1 to 64 letters, digits and _")
	}

	var known []string

	for _, option := range NginxOptions() {
		key := strings.ToLower(option.Name)
		known = append(known, key)

		value, given := values[key]

		switch {
		case !given && option.required:
			return made, fmt.Errorf("it needs %s", key)
		case !given:
		case option.set(&made, value) != nil:
			return made, fmt.Errorf("%s = %q: allowed is %s", key, value, option.Allowed)
		}
	}

	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known, key) {
			return made, fmt.Errorf("there is no option %q; known are %s", key, strings.Join(known, ", "))
		}
	}

	return made, nil
}

func setAbsolute(target *string, value string) error {
	*target = filepath.Clean(value)

	return allowedIf(filepath.IsAbs(value))
}

func nginxTimes() []Option {
	return []Option{
		{
			Name:        "NginxRevalidate",
			Default:     "1h",
			Allowed:     "a time from 1m to 24h",
			Description: "How old the test of an nginx configuration that has not changed may be: names and addresses change without it.",
			Helper:      "nginx_revalidate",
			set: func(o *Options, value string) bool {
				return setTime(&o.NginxRevalidate, value, minNginxRevalidate, maxNginxRevalidate) == nil
			},
		},
		{
			Name:        "NginxTimeout",
			Default:     "60s",
			Allowed:     "a time from 1s to 10m",
			Description: "How long a test of an nginx configuration may take before it is ended and reported as timed out.",
			Helper:      "nginx_timeout",
			set: func(o *Options, value string) bool {
				return setTime(&o.NginxTimeout, value, minNginxTimeout, maxNginxTimeout) == nil
			},
		},
	}
}
