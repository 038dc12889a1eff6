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

// withoutUser leaves user and password out of a URL, however malformed.
func withoutUser(url string) string {
	at := strings.LastIndexByte(url, '@')
	if at < 0 {
		return url
	}

	scheme, _, found := strings.Cut(url[:at], "://")
	if !found || strings.Contains(scheme, ":") {
		return hidden + url[at:]
	}

	return scheme + "://" + hidden + url[at:]
}

// withoutContent leaves the content out of a header; a name that cannot be one may be the secret.
func withoutContent(header string) string {
	name, _, ok := strings.Cut(header, ":")
	if !ok || !headerNames.MatchString(strings.TrimSpace(name)) {
		return hidden
	}

	return name + ": " + hidden
}

// hidden stands for a secret.
const hidden = "…"
