package readme

import (
	"cmp"
	"fmt"
	"strings"

	"zabbix-agent2-plugin-hosting/templates/export"
)

func macros(t export.Template) string {
	rows := [][]string{{"Name", "Description", "Default"}}
	for _, m := range t.Macros {
		rows = append(rows, []string{code(m.Macro), m.Description, code(m.Value)})
	}

	return table(rows)
}

func items(all []export.Item) string {
	rows := [][]string{{"Name", "Description", "Type", "Key and additional info"}}

	for _, item := range all {
		info := []string{code(item.Key)}
		if item.Params != "" {
			every := "every " + cmp.Or(item.Delay, "1m")
			if len(item.Preprocessing) > 0 {
				every += ": " + strings.Join(steps(item), ", ")
			}

			info = append(info, code(item.Params), every)
		} else if item.MasterItem.Key != "" {
			info = append(info, "from "+code(item.MasterItem.Key)+": "+strings.Join(steps(item), ", "))
		} else {
			info = append(info, "every "+cmp.Or(item.Delay, "1m"))
		}

		rows = append(rows, []string{item.Name, item.Description, itemType(item), strings.Join(info, "<br>")})
	}

	return table(rows)
}

func steps(item export.Item) []string {
	var described []string

	for _, step := range item.Preprocessing {
		parts := []string{strings.ToLower(strings.ReplaceAll(step.Type, "_", " "))}
		if parameters := strings.Join(strings.Fields(strings.Join(step.Parameters, " ")), " "); parameters != "" {
			parts = append(parts, code(parameters))
		}

		switch step.ErrorHandler {
		case "DISCARD_VALUE":
			parts = append(parts, "or nothing")
		case "CUSTOM_VALUE":
			parts = append(parts, "or "+code(cmp.Or(step.ErrorHandlerParams, `""`)))
		}

		described = append(described, strings.Join(parts, " "))
	}

	return described
}

func itemType(item export.Item) string {
	switch item.Type {
	case "DEPENDENT":
		return "Dependent item"
	case "CALCULATED":
		return "Calculated"
	default:
		return "Zabbix agent"
	}
}

func triggers(all []export.Trigger) string {
	rows := [][]string{{"Name", "Description", "Expression", "Severity", "Dependencies and additional info"}}

	for _, t := range all {
		expression := code(t.Expression)
		if t.RecoveryExpression != "" {
			expression += "<br>Recovers: " + code(t.RecoveryExpression)
		}

		var info []string

		for _, d := range t.Dependencies {
			info = append(info, "Depends on: "+d.Name)
		}

		if t.ManualClose == "YES" {
			info = append(info, "Manual close: yes")
		}

		severity := t.Priority[:1] + strings.ToLower(t.Priority[1:])
		rows = append(rows, []string{t.Name, t.Description, expression, severity, strings.Join(info, "<br>")})
	}

	return table(rows)
}

func discovery(rule export.DiscoveryRule) string {
	return table([][]string{
		{"Name", "Description", "Type", "Key and additional info"},
		{rule.Name, rule.Description, "Zabbix agent", code(rule.Key) + "<br>every " + cmp.Or(rule.Delay, "1m")},
	})
}

func code(text string) string {
	return "`" + text + "`"
}

func table(rows [][]string) string {
	var out strings.Builder

	for i, row := range rows {
		for _, cell := range row {
			cell = strings.ReplaceAll(strings.TrimSpace(cell), "\n", "<br>")
			fmt.Fprintf(&out, "|%s", strings.ReplaceAll(cell, "|", `\|`))
		}

		out.WriteString("|\n")

		if i == 0 {
			out.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}

	return out.String()
}
