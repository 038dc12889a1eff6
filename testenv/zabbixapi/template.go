package zabbixapi

import (
	"fmt"
	"regexp"
)

// ImportTemplates imports an export file in YAML: what is there is changed, what is missing is made, and what the file does not have is removed from its templates.
func (c *Client) ImportTemplates(yaml string) error {
	made := object{"createMissing": true, "updateExisting": true}
	whole := object{"createMissing": true, "updateExisting": true, "deleteMissing": true}
	rules := object{
		"templates": made, "items": whole, "triggers": whole, "graphs": whole, "discoveryRules": whole,
		"valueMaps": whole, "templateDashboards": whole, "httptests": whole,
		"templateLinkage": object{"createMissing": true, "deleteMissing": true},
	}
	if c.Is60() {
		rules["groups"] = made
	} else {
		rules["template_groups"], rules["host_groups"] = made, made
	}
	var done bool
	err := c.Call("configuration.import", object{"format": "yaml", "rules": rules, "source": yaml}, &done)
	if err == nil && !done {
		err = fmt.Errorf("cannot import: the API does not say why; look into the frontend's errors")
	}
	return err
}

// exportDate is when a 6.0 server made an export.
var exportDate = regexp.MustCompile(`(?m)^  date: .*\n`)

// ExportTemplates returns templates as YAML, without the date: two exports of the same are equal.
func (c *Client) ExportTemplates(names ...string) (string, error) {
	ids := make([]string, len(names))
	for i, name := range names {
		var err error
		if ids[i], err = c.TemplateID(name); err != nil {
			return "", err
		}
	}
	var yaml string
	if err := c.Call("configuration.export", object{"format": "yaml", "options": object{"templates": ids}}, &yaml); err != nil {
		return "", err
	}
	return exportDate.ReplaceAllString(yaml, ""), nil
}

// TemplateID returns the id of a template by its technical name.
func (c *Client) TemplateID(name string) (string, error) {
	return c.Find("template.get", "templateid", "the template "+name, object{"filter": object{"host": []string{name}}})
}
