package contract

import (
	"regexp"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/templates/export"
)

var (
	userMacro = regexp.MustCompile(`\{\$([A-Z0-9_.]+)(?::"[^"]*")?\}`) // with or without context
	lldMacro  = regexp.MustCompile(`\{#[A-Z0-9_.]+\}`)
)

// expand replaces user macros by their defaults.
func (c *check) expand(text string) string {
	return userMacro.ReplaceAllStringFunc(text, func(found string) string {
		if value, ok := c.macros[plain(found)]; ok {
			return value
		}

		return found
	})
}

// plain returns a user macro without its context.
func plain(macro string) string {
	return userMacro.ReplaceAllString(macro, "{$$$1}")
}

func (c *check) checkMacros() {
	used := make(map[string]bool)

	for _, text := range c.file.Texts() {
		found := userMacro.FindAllString(text, -1)
		if len(found) != strings.Count(text, "{$") {
			c.report("a user macro is misspelled in %q", text)
		}

		for _, macro := range found {
			used[plain(macro)] = true

			if _, ok := c.macros[plain(macro)]; !ok {
				c.report("macro %s is used in %q and not defined", plain(macro), text)
			}
		}
	}

	for _, t := range c.file.Templates {
		for _, m := range t.Macros {
			if m.Description == "" {
				c.report("macro %s has no description", m.Macro)
			}

			if !used[m.Macro] {
				c.report("macro %s is defined and not used", m.Macro)
			}
		}
	}
}

// checkDiscoveryMacros tells whether each LLD macro of the template comes with every object of some golden discovery.
func (c *check) checkDiscoveryMacros(t export.Template) {
	known := make(map[string]bool)

	for _, rule := range t.DiscoveryRules {
		rows, err := c.discovered(rule.Key)
		if err != nil || len(rows) == 0 {
			c.report("discovery rule %s: the golden discovery is missing or empty", rule.Key)

			continue
		}

		for macro := range rows[0] {
			known[macro] = !slices.ContainsFunc(rows, func(r row) bool { _, ok := r[macro]; return !ok })
		}
	}

	reported := make(map[string]bool)

	for _, text := range c.file.Texts() {
		for _, macro := range lldMacro.FindAllString(text, -1) {
			if !known[macro] && !reported[macro] {
				c.report("macro %s comes with no discovery", macro)
				reported[macro] = true
			}
		}
	}
}
