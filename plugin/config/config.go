// Package config knows the options of the plugin: Plugins.Hosting.* in the agent's configuration.
package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/site"
)

// Section is the plugin's name in the agent's configuration: Plugins.Hosting.*.
const Section = "Hosting"

// Options are the plugin's options, valid or at their defaults.
type Options struct {
	ProcPath string // where proc(5) is mounted
	SysPath  string // where sysfs(5) is mounted
	KmsgPath string // the kernel log, kmsg(4)
	// HelperSocket is where the root helper is asked.
	HelperSocket string
	SlabHistory  time.Duration // what growth is measured over
	Sites        []site.Site   // sorted by name

	WatchListeners bool // also those that are gone at the next look
	WatchKills     bool // also those that the kernel log leaves out
	// SlabSession is how long a session of slab owners lasts, SlabSessionEvery the shortest time between two that start by themselves.
	SlabSession, SlabSessionEvery time.Duration
	// SlabSessionGrowthMiB is how much SUnreclaim grows a minute when one starts by itself, SlabSessionCPUPct how much of all processors it may take.
	SlabSessionGrowthMiB, SlabSessionCPUPct int

	Nginx           []instance.Configured // sorted by name
	NginxRevalidate time.Duration         // the age at which an unchanged configuration is tested again
	NginxTimeout    time.Duration         // of one test
}

const (
	minSlabHistory = 10 * time.Minute
	maxSlabHistory = 7 * 24 * time.Hour
)

// All returns every option, in the order in which people read them.
func All() []Option { return slices.Concat(hostOptions(), nginxTimes(), watchOptions()) }

func hostOptions() []Option {
	return []Option{
		{
			Name:        "SlabHistory",
			Default:     "1h",
			Allowed:     "a time from 10m to 7d, such as 90m or 1d",
			Description: "How far back the growth of slab caches is measured.",
			set: func(o *Options, value string) (ok bool) {
				o.SlabHistory, ok = ParseDuration(value)

				return ok && o.SlabHistory >= minSlabHistory && o.SlabHistory <= maxSlabHistory
			},
		},
		{
			Name:        "ProcPath",
			Default:     "/proc",
			Allowed:     "an absolute path",
			Description: "Where the host's proc file system is mounted; another place than /proc in a container.",
			set:         func(o *Options, value string) bool { return setPath(&o.ProcPath, value) },
		},
		{
			Name:        "SysPath",
			Default:     "/sys",
			Allowed:     "an absolute path",
			Description: "Where the host's sysfs is mounted.",
			set:         func(o *Options, value string) bool { return setPath(&o.SysPath, value) },
		},
		{
			Name:        "KmsgPath",
			Default:     "/dev/kmsg",
			Allowed:     "an absolute path",
			Description: "The kernel log, from which the victims of the OOM killer are read.",
			set:         func(o *Options, value string) bool { return setPath(&o.KmsgPath, value) },
		},
		{
			Name:        "HelperSocket",
			Default:     "/run/zabbix-hosting-helper.sock",
			Allowed:     "an absolute path",
			Description: "Where the root helper is asked for what only root may know; a plugin that is root does not need it.",
			set:         func(o *Options, value string) bool { return setPath(&o.HelperSocket, value) },
		},
	}
}

// Defaults returns the options of a plugin that is not configured.
func Defaults() Options {
	options, err := fromSettings(nil)
	if err != nil {
		// A default that its own option refuses; the tests of this package try each.
		panic(err)
	}

	return options
}

// Parse reads the JSON of the Plugins.Hosting.* subtree as an agent sends it. An error names the option, its value and
// what is allowed.
func Parse(private []byte) (Options, error) {
	settings, err := parseTree(private)
	if err != nil {
		return Options{}, err
	}

	return fromSettings(settings)
}

func fromSettings(settings []setting) (Options, error) {
	var options Options

	known := make(map[string]Option)

	for _, option := range All() {
		known[option.Name] = option
		if !option.set(&options, option.Default) {
			return options, invalid(option, setting{name: option.Name, value: option.Default})
		}
	}

	var err error
	if options.Sites, settings, err = namedSites().parse(settings); err != nil {
		return options, err
	}

	if options.Nginx, settings, err = namedNginx().parse(settings); err != nil {
		return options, err
	}

	for _, s := range settings {
		option, ok := known[s.name]
		if !ok {
			return options, unknownOption("Plugins."+Section+".", s, names())
		}

		if !option.set(&options, s.value) {
			return options, invalid(option, s)
		}
	}

	return options, nil
}

func invalid(option Option, s setting) error {
	return fmt.Errorf("cannot use option Plugins.%s.%s=%s (line %d): allowed is %s",
		Section, option.Name, s.value, s.line, option.Allowed)
}

func names() []string {
	all := []string{sitesNode + ".<name>.URL", nginxNode + ".<name>.Binary"}
	for _, option := range All() {
		all = append(all, option.Name)
	}

	return all
}

func setPath(target *string, value string) bool {
	*target = filepath.Clean(value)

	return filepath.IsAbs(value)
}

// ParseDuration takes Zabbix's time suffixes s, m, h, d and w, and ms; a bare number is in seconds.
func ParseDuration(value string) (time.Duration, bool) {
	if number, ok := strings.CutSuffix(value, "ms"); ok {
		n, err := strconv.ParseUint(number, 10, 31)

		return time.Duration(n) * time.Millisecond, err == nil
	}

	unit := time.Second
	units := map[byte]time.Duration{
		's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
	}

	if value != "" {
		if u, ok := units[value[len(value)-1]]; ok {
			unit, value = u, value[:len(value)-1]
		}
	}

	n, err := strconv.ParseInt(value, 10, 32)

	return time.Duration(n) * unit, err == nil
}
