package contract

import (
	"regexp"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/templates/export"
)

// audience is the tag of what customers may see. hosting-views has them see the problems with that tag and no others.
const audience = "audience"

// forCustomers are items whose values name the site, and neither processes nor users and files of the host: an item is added when somebody has looked at that.
var forCustomers = regexp.MustCompile(`^site\.(?:answered\.\w+|availability\.\w+|certificate\.days|evidence\.sentence|failures\.consecutive|requests|total\.p90\.5m)\[`)

// checkAudience tells whether a problem that customers see could show them what is not for them. The data of a problem comes from the items of its expression.
func (c *check) checkAudience(trigger export.Trigger) {
	if !slices.ContainsFunc(trigger.Tags, isAudience) {
		return
	}

	shown := strings.Join([]string{trigger.Name, trigger.EventName, trigger.Opdata, trigger.Expression, trigger.RecoveryExpression}, "\n")
	for _, reference := range itemReference.FindAllStringSubmatch(shown, -1) {
		if key := reference[2]; !forCustomers.MatchString(key) {
			c.report("trigger %q: customers see it, and %q may name what is not theirs", trigger.Name, key)
		}
	}
}

// checkInherited tells whether a tag that every problem of a template or of an item gets would show it to customers.
func (c *check) checkInherited(what string, tags []export.Tag) {
	if slices.ContainsFunc(tags, isAudience) {
		c.report("%s: the tag %s is for triggers", what, audience)
	}
}

func isAudience(t export.Tag) bool { return t.Tag == audience }
