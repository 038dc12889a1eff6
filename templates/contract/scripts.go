package contract

import (
	"fmt"
	"regexp"
	"strings"

	"zabbix-agent2-plugin-hosting/templates/export"
	"zabbix-agent2-plugin-hosting/templates/jsonpath"
)

// newerSyntax is what Duktape, Zabbix's engine of ECMAScript 5, refuses.
var newerSyntax = regexp.MustCompile("=>|`|\\blet\\b")

// script is what the script of an item takes from the payload, which it names report: it begins with
// "const report = JSON.parse(value);".
type script struct {
	*check
	item export.Item
	text string
}

// checkScript tells whether what the item's script takes from the payload is there and is what the script takes it for. The script
// is not run.
func (c *check) checkScript(item export.Item, document any) {
	s := script{check: c, item: item, text: item.Preprocessing[0].Parameters[0]}

	if newer := newerSyntax.FindString(s.text); newer != "" {
		s.report("Zabbix does not understand %s in its script", newer)
	}

	if !strings.Contains(s.text, "report.") {
		s.report("its script takes nothing from report")
	}

	s.checkVariable("report", document)
}

func (s *script) report(format string, args ...any) {
	s.check.report("item %s: %s", s.item.Key, fmt.Sprintf(format, args...))
}

// checkVariable checks what is taken from a variable that holds this value. A name before a bracket is a method, one before undefined a question for a
// member that not every payload has.
func (s *script) checkVariable(name string, value any) {
	member := regexp.MustCompile(`\b` + name + `((?:\.\w+|\[\d+\])+)(\((?:function \((\w+)\))?)?( [!=]== undefined)?`)

	for _, found := range member.FindAllStringSubmatch(s.text, -1) {
		path, method, element, question := found[1], found[2] != "", found[3], found[4] != ""

		switch {
		case question:
			s.checkMember(value, "$"+path)
		case method || strings.HasSuffix(path, ".length"):
			array := path[:strings.LastIndex(path, ".")]
			s.checkArray(name+array, value, "$"+array, element)
		default:
			s.checkScalar(name+path, value, "$"+path)
		}
	}
}

func (s *script) checkMember(value any, path string) {
	if _, err := jsonpath.Get(value, path); err != nil {
		s.report("%v", err)
	}
}

// checkArray checks an array and, where its method calls a function with each element, what that takes from them.
func (s *script) checkArray(name string, value any, path, element string) {
	found, err := jsonpath.Get(value, path)
	if err != nil {
		s.report("%v", err)

		return
	}

	array, ok := found.([]any)

	switch {
	case !ok:
		s.report("its script takes the golden value %v of %s for an array", found, name)
	case element != "" && len(array) == 0:
		s.report("the golden value of %s has no element to check its script by", name)
	case element != "":
		s.checkVariable(element, array[0])
	}
}

func (s *script) checkScalar(name string, value any, path string) {
	found, err := jsonpath.Get(value, path)
	if err != nil {
		s.report("%v", err)

		return
	}

	_, number := found.(float64)
	_, text := found.(string)
	_, flag := found.(bool)
	numeric := s.item.ValueType == "" || s.item.ValueType == "FLOAT"

	switch {
	case !number && !text && !flag:
		s.report("its script takes the golden value %v of %s for a number, text or flag", found, name)
	case numeric && !number && strings.HasPrefix(name, "report."):
		s.report("the golden value %v of %s is no number", found, name)
	}
}
