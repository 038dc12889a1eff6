// Package keys is the list of the plugin's item keys, as data, and their handlers. Registration with the agent, list-keys,
// the README's table and the templates' contract test all come from this list.
package keys

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.zabbix.com/sdk/metric"

	"zabbix-agent2-plugin-hosting/plugin/helper"
)

// Result is the type of an item key's value.
type Result string

// The types of values, in Zabbix's words.
const (
	JSON   Result = "JSON"
	LLD    Result = "LLD"
	Number Result = "number"
	Text   Result = "text"
)

// Key is one item key.
type Key struct {
	Name        string
	Parameters  []Parameter
	Description string // one sentence, for the agent's list and for people
	Result      Result
	Unit        string // of a number
	Check       Check  // whose state tells whether the key works
	Permission  Permission
	evaluate    func(context.Context, *Checks, map[string]string) (any, error)
}

// Permission tells what of a key's value is not for ordinary users. It is the zero value where nothing is.
type Permission struct {
	Needs   string      // what only root may do for it
	Verb    helper.Verb // of the root helper, which does it for the plugin
	Without string      // what an ordinary user gets of the key without the helper
}

// Parameter is one parameter of an item key.
type Parameter struct {
	Name        string
	Description string
	Default     string
	Allowed     Allowed
	Required    bool
	Sample      string // for an example, where the default is none
}

// Usage returns the key as documentation writes it: optional parameters are in angle brackets.
func (k Key) Usage() string {
	if len(k.Parameters) == 0 {
		return k.Name
	}

	var names []string
	for _, p := range k.Parameters {
		if p.Required {
			names = append(names, p.Name)
		} else {
			names = append(names, "<"+p.Name+">")
		}
	}

	return k.Name + "[" + strings.Join(names, ",") + "]"
}

// Example returns the key as an item would ask it, with its defaults or samples spelled out.
func (k Key) Example() string {
	if len(k.Parameters) == 0 {
		return k.Name
	}

	var values []string
	for _, p := range k.Parameters {
		values = append(values, cmp.Or(p.Sample, p.Default))
	}

	return k.Name + "[" + strings.TrimRight(strings.Join(values, ","), ",") + "]"
}

// CheckParams tells whether an item with these parameters can be evaluated.
func (k Key) CheckParams(parameters []string) error {
	_, err := k.bind(k.schema(), parameters)

	return err
}

// schema returns the key's parameters as the SDK evaluates them.
func (k Key) schema() *metric.Metric {
	declared := make([]*metric.Param, 0, len(k.Parameters))
	for _, p := range k.Parameters {
		param := metric.NewParam(p.Name, p.Description)
		if p.Required {
			param = param.SetRequired()
		} else if p.Default != "" {
			param = param.WithDefault(p.Default)
		}

		declared = append(declared, param.WithValidator(p.Allowed))
	}

	return metric.New(k.Description, declared, false)
}

// bind returns the parameters by name, with defaults, or an error that names the one at fault.
func (k Key) bind(schema *metric.Metric, parameters []string) (map[string]string, error) {
	values, _, _, err := schema.EvalParams(parameters, nil)
	if err != nil {
		return nil, fmt.Errorf("cannot evaluate %s: %s; usage: %s", k.Name, inSentence(err), k.Usage())
	}

	return values, nil
}

// inSentence turns an error of the SDK, which is a sentence of its own, into the part of one.
func inSentence(err error) string {
	text := strings.TrimSuffix(err.Error(), ".")

	first, size := utf8.DecodeRuneInString(text)

	return string(unicode.ToLower(first)) + text[size:]
}
