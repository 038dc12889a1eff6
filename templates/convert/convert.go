// Package convert turns the hand-written form of a template, for Zabbix 7.0 and passive checks, into the others: the same for active checks,
// and either for Zabbix 6.0, which does not import newer files. What a form cannot express is an error, except for what To60 leaves
// out on purpose: vendor, and widgets and widget options that 6.0 lacks. 6.0 deletes soon what 7.0 disables when it is lost.
package convert

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

const (
	header = "Generated from 7.0/%s by go run ./templates/cmd/generate: change that one."

	// What 7.0 means when a file does not say; 6.0 would take 90d and 30d.
	defaultHistory  = "31d"
	defaultLifetime = "7d"

	// 7.0 disables what is lost at once where a file does not say otherwise, and 6.0 goes on with it, and with its alarms, until it is deleted.
	enabledLifetime = "1h"
)

// Template is a 7.0 template that can be turned into its other forms.
type Template struct {
	document *yaml.Node
}

// Read reads a 7.0 template.
func Read(source []byte) (*Template, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(source, &document); err != nil {
		return nil, fmt.Errorf("cannot read the 7.0 template: %w", err)
	}

	if len(document.Content) == 0 {
		return nil, fmt.Errorf("cannot read the 7.0 template: the file is empty")
	}

	t := &Template{document: &document}
	if version := text(t.root(), "version"); version != "7.0" {
		return nil, fmt.Errorf("cannot convert a template of version %q: only 7.0 is known", version)
	}

	return t, nil
}

func (t *Template) root() *yaml.Node {
	return get(t.document.Content[0], "zabbix_export")
}

// Encode returns the template as a file that says from which source it was made.
func (t *Template) Encode(source string) ([]byte, error) {
	t.document.HeadComment = fmt.Sprintf(header, source)

	var encoded bytes.Buffer

	encoder := yaml.NewEncoder(&encoded)
	encoder.SetIndent(2)

	if err := encoder.Encode(t.document); err != nil {
		return nil, fmt.Errorf("cannot write the template: %w", err)
	}

	return encoded.Bytes(), nil
}

// To60 makes the template one for Zabbix 6.0. After an error it is of no use.
func (t *Template) To60() error {
	if err := convertFile(t.root()); err != nil {
		return fmt.Errorf("cannot convert the template to 6.0: %w", err)
	}

	return nil
}

func convertFile(root *yaml.Node) error {
	get(root, "version").Value = "6.0"
	rename(root, "template_groups", "groups")

	for _, template := range list(root, "templates") {
		remove(template, "vendor")

		for _, item := range list(template, "items") {
			if err := convertItem(item); err != nil {
				return err
			}
		}

		for _, rule := range list(template, "discovery_rules") {
			if err := convertRule(rule); err != nil {
				return err
			}
		}

		for _, dashboard := range list(template, "dashboards") {
			for _, page := range list(dashboard, "pages") {
				if err := convertPage(page); err != nil {
					return fmt.Errorf("dashboard %s: %w", text(dashboard, "name"), err)
				}
			}
		}
	}

	return nil
}
