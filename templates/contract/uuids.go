package contract

import (
	"fmt"
	"regexp"
	"slices"

	"zabbix-agent2-plugin-hosting/templates/export"
)

var uuid4 = regexp.MustCompile(`^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$`)

func (c *check) checkUUIDs() {
	holders := make(map[string]string)

	for _, object := range c.file.Identities() {
		if !uuid4.MatchString(object.UUID) {
			c.report("the UUID %q of %q is not version 4 in 32 lower-case digits", object.UUID, object.Name)
		}

		if holder, taken := holders[object.UUID]; taken {
			c.report("the UUID %s of %q is that of %q too", object.UUID, object.Name, holder)
		}

		holders[object.UUID] = object.Name
	}
}

// UUIDs returns a line for each object with a UUID, sorted. Zabbix knows an object by its UUID: who changes one loses its history,
// so the lines are compared with a list that only ever grows. Groups are Zabbix's own and left out.
func UUIDs(file *export.File) []string {
	var lines []string

	for _, object := range file.Identities() {
		if object.Kind != "groups" && object.Kind != "template_groups" {
			lines = append(lines, fmt.Sprintf("%s %s %s", object.UUID, object.Kind, object.Name))
		}
	}

	slices.Sort(lines)

	return lines
}
