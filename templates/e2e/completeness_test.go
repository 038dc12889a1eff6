package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/templates/export"
)

// triggerNames are the names that a file's triggers have on a host of the scenarios, in order.
func triggerNames(f *export.File) []string {
	var names []string
	add := func(triggers []export.Trigger) {
		for _, trigger := range triggers {
			names = append(names, discoveredNames.Replace(trigger.Name))
		}
	}
	add(f.Triggers)
	for _, template := range f.Templates {
		for _, item := range template.Items {
			add(item.Triggers)
		}
		for _, rule := range template.DiscoveryRules {
			add(rule.TriggerPrototypes)
			for _, item := range rule.ItemPrototypes {
				add(item.TriggerPrototypes)
			}
		}
	}
	slices.Sort(names)
	return names
}

func TestEveryTriggerHasAScenario(t *testing.T) {
	for _, version := range []string{"6.0", "7.0"} {
		for _, f := range files(t, version) {
			t.Run(filepath.Join(version, f.name), func(t *testing.T) {
				name := strings.Replace(f.name, "_active.yaml", ".yaml", 1)
				var played []string
				for _, c := range tables[name] {
					played = append(played, prefixOf(name, c)+c.trigger)
				}
				if name == fleetFile {
					played = slices.Clone(fleetTriggers)
				}
				slices.Sort(played)
				require.Equal(t, triggerNames(f.parsed), slices.Compact(played))
			})
		}
	}
}

func TestATriggerWithoutAScenarioIsMissed(t *testing.T) {
	f := &export.File{Templates: []export.Template{{
		Items:          []export.Item{{Triggers: []export.Trigger{{Name: "c"}}}},
		DiscoveryRules: []export.DiscoveryRule{{TriggerPrototypes: []export.Trigger{{Name: "a {#SITE}"}}, ItemPrototypes: []export.Item{{TriggerPrototypes: []export.Trigger{{Name: "b"}}}}}},
	}}, Triggers: []export.Trigger{{Name: "d"}}}
	require.Equal(t, []string{"a shop", "b", "c", "d"}, triggerNames(f))
}

func TestEachFaultChangesWhatThePluginSays(t *testing.T) {
	for _, table := range tables {
		for name, c := range table {
			t.Run(name, func(t *testing.T) {
				if c.clock == silence {
					require.Empty(t, c.bad)
					return
				}
				changed := false
				for _, one := range slices.Concat(c.good, c.bad) {
					good, err := c.value(one.key, moment{well: 3})
					require.NoError(t, err)
					bad, err := c.value(one.key, moment{well: 1, ill: 2}, c.bad...)
					require.NoError(t, err)
					changed = changed || good != bad
				}
				require.True(t, changed)
			})
		}
	}
}

func TestAMisspelledChangeFails(t *testing.T) {
	for name, c := range map[string]struct {
		change change
		err    string
	}{
		"of a member below one that is not there": {change{pluginKey, "helpers.state", 1}, `there is no "helpers"`},
		"of an element that is not there":         {change{nginxKey, "errors.7.line", 1}, `there is no element "7" of 1`},
		"of an element without a number":          {change{nginxKey, "errors.first.line", 1}, `there is no element "first" of 1`},
		"below a number":                          {change{pluginKey, "pid.state", 1}, "there is nothing below 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := payload(c.change.key, moment{}, c.change)
			require.ErrorContains(t, err, fmt.Sprintf("cannot change %s of %s: %s", c.change.path, c.change.key, c.err))
		})
	}
}

func TestValuesGoByTheMoment(t *testing.T) {
	at := moment{well: 20, ill: 10, after: 2}
	require.Equal(t, []any{1000.0 + 20*12 + 10 + 2*100, 1, 2, "text"}, []any{
		at.at(line{1000, 12, 1, 100}), moment{well: 1}.at(since{before: 1, after: 2}), at.at(since{before: 1, after: 2}), at.at("text"),
	})
}
