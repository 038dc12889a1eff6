package contract

import (
	"regexp"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/templates/export"
)

// checkClock tells whether a trigger goes by one clock. A value that an agent sends by itself carries the host's time, a calculated one the server's:
// a trigger over both looks at windows that lie apart by the difference and changes its mind with each value. The time of now() is
// the server's or the host's, as the value has it that it is asked at; ages must be told by the plugin.
func (c *check) checkClock(trigger export.Trigger, known references) {
	for _, expression := range []string{trigger.Expression, trigger.RecoveryExpression} {
		if strings.Contains(expression, "now()") {
			c.report("trigger %q compares with now(): let the plugin tell an age", trigger.Name)
		}
	}

	var calculated, measured int

	for _, reference := range itemReference.FindAllStringSubmatch(trigger.Expression+trigger.RecoveryExpression, -1) {
		if slices.Contains(known.calculated, reference[2]) {
			calculated++
		} else {
			measured++
		}
	}

	if calculated > 0 && measured > 0 {
		c.report("trigger %q looks at items of two clocks, the server's and the host's", trigger.Name)
	}
}

// overValues is an expression that looks at several values of an item.
var overValues = regexp.MustCompile(`\b(?:min|max|sum|avg|count|change|timeleft)\(/|,#[2-9]`)

// checkText tells whether an event may lack the text that it names: items of one master come one by one. A trigger over several values has the text
// by then, and one that waits for the text always. One that may have no value at all, as an older plugin does not tell it, is not to be waited for.
func (c *check) checkText(trigger export.Trigger, known references) {
	if overValues.MatchString(trigger.Expression) {
		return
	}

	for _, named := range itemReference.FindAllStringSubmatch(trigger.EventName, -1) {
		waits := "length(last(/" + known.template + "/" + named[2] + "))>0"
		if slices.Contains(known.texts, named[2]) && !strings.Contains(trigger.Expression, waits) {
			c.report("trigger %q goes by a number that may come before %q, which it names: add %s", trigger.Name, named[2], waits)
		}
	}
}
