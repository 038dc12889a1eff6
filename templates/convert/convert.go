// Package convert turns a Zabbix 7.0 template into the same template for Zabbix 6.0. Zabbix imports older files but not newer ones, so the
// 7.0 file is the source. What 6.0 cannot express is an error, except for what this package leaves out on purpose: vendor,
// widgets and widget options that 6.0 lacks, and how soon a lost discovered item is disabled.
package convert

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

const (
	header = "Generated from the 7.0 template by go run ./templates/cmd/generate: change that one."

	// What 7.0 means when a file does not say; 6.0 would take 90d and 30d.
	defaultHistory  = "31d"
	defaultLifetime = "7d"
)

// To60 returns the 6.0 form of a 7.0 template.
func To60(source []byte) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(source, &document); err != nil {
		return nil, fmt.Errorf("cannot read the 7.0 template: %w", err)
	}

	if len(document.Content) == 0 {
		return nil, fmt.Errorf("cannot read the 7.0 template: the file is empty")
	}

	root := get(document.Content[0], "zabbix_export")
	if version := text(root, "version"); version != "7.0" {
		return nil, fmt.Errorf("cannot convert a template of version %q: only 7.0 is known", version)
	}

	if err := convertFile(root); err != nil {
		return nil, fmt.Errorf("cannot convert the template to 6.0: %w", err)
	}

	document.HeadComment = header

	var converted bytes.Buffer

	encoder := yaml.NewEncoder(&converted)
	encoder.SetIndent(2)

	if err := encoder.Encode(&document); err != nil {
		return nil, fmt.Errorf("cannot write the 6.0 template: %w", err)
	}

	return converted.Bytes(), nil
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
