package contract

import (
	"regexp"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/templates/export"
)

var (
	itemReference = regexp.MustCompile(`\(/([^/]*)/([\w.-]+(?:\[[^\]]*\])?)(\?\[[^\]]*\])?[,)]`) // (/template/key, (//key) in an event name, or (/*/key?[filter]
	searched      = regexp.MustCompile(`"(?:like|regexp)","([^"]+)"\)`)                          // find(item,,"regexp","now:(one_name|another)")
	word          = regexp.MustCompile(`\w+`)
	scopes        = []string{"availability", "performance", "capacity", "security", "notice"}
)

func (c *check) checkTriggers(known references) {
	for _, trigger := range known.triggers {
		c.checkScope(trigger)
		c.checkAudience(trigger)
		c.checkName(trigger, known.triggers[0])
		c.checkRecovery(trigger)

		c.checkExpression(trigger, trigger.Expression, known)
		c.checkExpression(trigger, trigger.RecoveryExpression, known)
		c.checkExpression(trigger, trigger.EventName, known)
		c.checkSearch(trigger)
		c.checkClock(trigger, known)
		c.checkText(trigger, known)

		if !itemReference.MatchString(trigger.Expression) {
			c.report("trigger %q looks at no item", trigger.Name)
		}

		for _, d := range trigger.Dependencies {
			if !slices.ContainsFunc(known.triggers, func(t export.Trigger) bool {
				return d == export.Dependency{Name: t.Name, Expression: t.Expression, RecoveryExpression: t.RecoveryExpression}
			}) {
				c.report("trigger %q depends on %q, which is no trigger here with that expression", trigger.Name, d.Name)
			}
		}
	}
}

func (c *check) checkExpression(trigger export.Trigger, text string, known references) {
	found := itemReference.FindAllStringSubmatch(text, -1)
	if len(found) != strings.Count(text, "(/") {
		c.report("trigger %q: an item is not written (/template/key) in %q", trigger.Name, text)
	}

	for _, reference := range found {
		host, key := reference[1], reference[2]
		if host != known.template && (host != "" || text != trigger.EventName) {
			c.report("trigger %q: there is no template %q", trigger.Name, host)
		}

		if !slices.Contains(known.items, key) {
			c.report("trigger %q: there is no item %q", trigger.Name, key)
		}
	}
}

// checkSearch tells whether the names that an expression looks for are those of some enum.
func (c *check) checkSearch(trigger export.Trigger) {
	for _, found := range searched.FindAllStringSubmatch(trigger.Expression, -1) {
		for _, name := range word.FindAllString(found[1], -1) {
			if !slices.Contains(c.names(), name) {
				c.report("trigger %q looks for %q, which no value map has", trigger.Name, name)
			}
		}
	}
}

func (c *check) checkRecovery(trigger export.Trigger) {
	if (trigger.RecoveryMode == "RECOVERY_EXPRESSION") != (trigger.RecoveryExpression != "") {
		c.report("trigger %q: a recovery expression and recovery_mode RECOVERY_EXPRESSION need each other", trigger.Name)
	}
}

func (c *check) checkScope(trigger export.Trigger) {
	if !slices.ContainsFunc(trigger.Tags, func(t export.Tag) bool { return t.Tag == "scope" && slices.Contains(scopes, t.Value) }) {
		c.report("trigger %q has no tag scope with one of %v", trigger.Name, scopes)
	}
}

func (c *check) checkName(trigger, first export.Trigger) {
	prefix, _, _ := strings.Cut(first.Name, ": ")
	for _, name := range []string{trigger.Name, trigger.EventName} {
		if name != "" && !strings.HasPrefix(name, prefix+": ") {
			c.report("trigger %q: names must begin with %q", name, prefix+": ")
		}
	}

	if strings.Contains(trigger.Name, "{HOST.") || strings.Contains(trigger.Name, "{ITEM.") {
		c.report("trigger %q: values belong in opdata, not in the name", trigger.Name)
	}

	if trigger.Description == "" {
		c.report("trigger %q has no description", trigger.Name)
	}
}
