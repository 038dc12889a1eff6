package convert

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

func convertItem(item *yaml.Node) error {
	if text(item, "type") == "BROWSER" || text(item, "value_type") == "BINARY" || get(item, "timeout") != nil {
		return fmt.Errorf("item %s: 6.0 has no browser items, binary values and item timeouts", text(item, "key"))
	}

	if get(item, "history") == nil {
		insertAfter(item, "history", defaultHistory, "delay", "key")
	}

	if err := convertSteps(item); err != nil {
		return fmt.Errorf("item %s: %w", text(item, "key"), err)
	}

	return nil
}

func convertSteps(item *yaml.Node) error {
	for _, step := range list(item, "preprocessing") {
		switch kind := text(step, "type"); kind {
		case "SNMP_WALK_VALUE", "SNMP_WALK_TO_JSON", "SNMP_GET_VALUE":
			return fmt.Errorf("6.0 has no preprocessing step %s", kind)
		case "CHECK_NOT_SUPPORTED":
			parameters := list(step, "parameters")
			if len(parameters) != 1 || parameters[0].Value != "-1" {
				return fmt.Errorf("%s of 6.0 catches any error and no chosen ones", kind)
			}

			// It has no parameter in 6.0, and must have an empty one in the file.
			parameters[0].Value = ""
		case "JAVASCRIPT", "TRIM", "LTRIM", "RTRIM", "STR_REPLACE", "DISCARD_UNCHANGED", "DISCARD_UNCHANGED_HEARTBEAT":
			if get(step, "error_handler") != nil {
				return fmt.Errorf("%s of 6.0 has no error handler", kind)
			}
		}
	}

	return nil
}

func convertRule(rule *yaml.Node) error {
	if kind := text(rule, "lifetime_type"); kind != "" && kind != "DELETE_AFTER" {
		return fmt.Errorf("discovery rule %s: 6.0 has no lifetime %s", text(rule, "key"), kind)
	}

	if get(rule, "lifetime") == nil {
		lifetime := defaultLifetime
		if text(rule, "enabled_lifetime_type") != "DISABLE_NEVER" {
			lifetime = enabledLifetime
		}

		insertAfter(rule, "lifetime", lifetime, "filter", "delay", "key")
	}

	remove(rule, "lifetime_type", "enabled_lifetime_type", "enabled_lifetime")

	if err := convertSteps(rule); err != nil {
		return fmt.Errorf("discovery rule %s: %w", text(rule, "key"), err)
	}

	for _, prototype := range list(rule, "item_prototypes") {
		if err := convertItem(prototype); err != nil {
			return err
		}
	}

	return nil
}
