package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/site"
)

const (
	sitesNode = "Sites"

	// notSeen stands for the line of an option that is not there.
	notSeen = -1
)

// siteNames have no dot, as it separates the parts of an option, and no dash, which the agent's configuration does not take.
var siteNames = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)

// parseSites returns the sites in the order of their names, and the settings that are none of theirs.
func parseSites(settings []setting) ([]site.Site, []setting, error) {
	var others []setting

	byName := make(map[string][]setting)

	for _, s := range settings {
		rest, ok := strings.CutPrefix(s.name, sitesNode+".")
		if !ok {
			others = append(others, s)

			continue
		}

		dot := strings.LastIndexByte(rest, '.')
		if dot < 0 || !siteNames.MatchString(rest[:dot]) {
			return nil, nil, fmt.Errorf("cannot use option Plugins.%s.%s (line %d): write it as Plugins.%s.%s.<name>.<option>, "+
				"a name having 1 to 64 letters, digits and _, but no dot", Section, s.name, s.line, Section, sitesNode)
		}

		byName[rest[:dot]] = append(byName[rest[:dot]], setting{name: rest[dot+1:], value: s.value, line: s.line})
	}

	sites := make([]site.Site, 0, len(byName))

	for name, settings := range byName {
		parsed, err := parseSite(name, settings)
		if err != nil {
			return nil, nil, err
		}

		sites = append(sites, parsed)
	}

	slices.SortFunc(sites, func(a, b site.Site) int { return strings.Compare(a.Name, b.Name) })

	return sites, others, nil
}

func parseSite(name string, settings []setting) (site.Site, error) {
	path := "Plugins." + Section + "." + sitesNode + "." + name + "."
	known := make(map[string]bool)
	parsed := site.Site{Name: name, Interval: defaultInterval}

	for _, option := range SiteOptions() {
		known[option.Name] = true
		seen := notSeen

		for _, s := range settings {
			if s.name != option.Name {
				continue
			}

			if seen != notSeen && !option.repeatable {
				return parsed, fmt.Errorf("cannot use option %s%s=%s (line %d): it stands in line %d already; is there another site of this name?",
					path, s.name, s.value, s.line, seen)
			}

			seen = s.line

			if err := option.set(&parsed, s.value); err != nil {
				return parsed, notAllowed(path, option, s, err)
			}
		}

		if option.Name == "URL" && seen == notSeen {
			return parsed, fmt.Errorf("cannot use options %s* (line %d): the site needs %sURL", path, settings[0].line, path)
		}
	}

	for _, s := range settings {
		if !known[s.name] {
			return parsed, fmt.Errorf("cannot use option %s%s (line %d): there is no such option; known are %s", path, s.name, s.line, siteOptionNames())
		}
	}

	return parsed, nil
}

func siteOptionNames() string {
	var all []string
	for _, option := range SiteOptions() {
		all = append(all, option.Name)
	}

	return strings.Join(all, ", ")
}
