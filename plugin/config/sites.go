package config

import (
	"regexp"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/site"
)

const sitesNode = "Sites"

func namedSites() named[site.Site] {
	return named[site.Site]{
		node: sitesNode, noun: "site", options: SiteOptions(),
		first: func(name string) site.Site { return site.Site{Name: name, Interval: defaultInterval} },
		name:  func(s site.Site) string { return s.Name },
	}
}

func addHeader(s *site.Site, value string) error {
	name, content, ok := strings.Cut(value, ":")
	name, content = strings.TrimSpace(name), strings.TrimSpace(content)

	if !ok || !headerNames.MatchString(name) || strings.ContainsFunc(content, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return errNotAllowed
	}

	s.Target.Header.Add(name, content)

	return nil
}

// headerNames are tokens of RFC 9110, 5.6.2.
var headerNames = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
