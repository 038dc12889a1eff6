//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"zabbix-agent2-plugin-hosting/templates/export"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

const (
	simulatedName = "Simulated host"
	// calculatedEvery is how often a simulated host's calculated items are computed, instead of each minute.
	calculatedEvery = "5s"
)

var (
	// aggregated is an item of all hosts in a calculation.
	aggregated = regexp.MustCompile(`\(/\*/([\w.-]+)`)
	// shown are the items that dashboards show without the fleet counting them, and those that the availabilities are computed of.
	shown = map[string]bool{
		"site.failed.new": true, "site.availability.1h": true, "server.availability.5m": true, "server.availability.1d": true, "kmem.memory.available.pct": true,
	}
	// discoveryMacro stands for the name of a discovered object.
	discoveryMacro = regexp.MustCompile(`\{#\w+\}`)
)

// importSimulated makes a template of the items that a fleet looks at, by the definitions of our templates, but for where their values come from: a calculated one
// is calculated, and the values of all others can be pushed. Each discovered item is there for each object. It imports the template of the fleet, too.
func importSimulated(t *testing.T, s *zabbixserver.Server, objects ...string) {
	t.Helper()
	fleet := read(t, filepath.Join("..", string(s.Version()), fleetFile))
	wanted := aggregatedBy(t, fleet.text)
	require.NoError(t, s.API().ImportTemplates(simulated(t, s.Version(), wanted, false, objects...)))
	require.NoError(t, s.API().ImportTemplates(fleet.text))
}

// aggregatedBy are the items that the template of a fleet looks at.
func aggregatedBy(t *testing.T, fleet string) map[string]bool {
	t.Helper()
	wanted := map[string]bool{}
	for _, found := range aggregated.FindAllStringSubmatch(fleet, -1) {
		wanted[found[1]] = true
	}
	require.NotEmpty(t, wanted)
	return wanted
}

// simulated is the template of simulated hosts, with these items and those that are shown. Where all are pushed, the calculated ones are, too.
func simulated(t *testing.T, version zabbixserver.Version, wanted map[string]bool, pushed bool, objects ...string) string {
	t.Helper()
	simulated := simulation{keys: map[string]bool{}, pushed: pushed}
	for _, f := range passive(files(t, version)) {
		parsed, err := export.Parse([]byte(f.text))
		require.NoError(t, err)
		for _, template := range parsed.Templates {
			items := slices.Clone(template.Items)
			for _, rule := range template.DiscoveryRules {
				items = append(items, rule.ItemPrototypes...)
			}
			for _, item := range items {
				name, _, _ := strings.Cut(item.Key, "[")
				if shown[name] || wanted[name] {
					simulated.add(item, objects)
				}
			}
		}
	}
	for name := range wanted {
		require.True(t, slices.ContainsFunc(simulated.items, func(item map[string]any) bool {
			key, _, _ := strings.Cut(item["key"].(string), "[")
			return key == name
		}), "no template has %s", name)
	}
	return simulated.file(t, version)
}

// simulation is the template that is being made.
type simulation struct {
	keys   map[string]bool
	items  []map[string]any
	pushed bool
}

// add adds an item, a prototype for each object.
func (s *simulation) add(item export.Item, objects []string) {
	if !discoveryMacro.MatchString(item.Key) {
		objects = []string{""}
	}
	for _, object := range objects {
		named := func(text string) string { return discoveryMacro.ReplaceAllString(text, object) }
		key := named(item.Key)
		if s.keys[key] {
			continue
		}
		s.keys[key] = true
		tags := []map[string]any{}
		for _, tag := range item.Tags {
			tags = append(tags, map[string]any{"tag": tag.Tag, "value": named(tag.Value)})
		}
		fields := map[string]any{
			"uuid": uuidFor(len(s.items) + 1), "name": named(item.Name), "key": key, "type": "TRAP", "delay": "0", "history": "7d",
			"tags": tags,
		}
		if item.ValueType != "" {
			fields["value_type"] = item.ValueType
		}
		if item.Units != "" {
			fields["units"] = item.Units
		}
		if item.Type == "CALCULATED" && !s.pushed {
			fields["type"], fields["delay"], fields["params"] = item.Type, calculatedEvery, named(item.Params)
			steps := []map[string]any{}
			for _, step := range item.Preprocessing {
				steps = append(steps, map[string]any{"type": step.Type, "parameters": step.Parameters, "error_handler": step.ErrorHandler})
			}
			fields["preprocessing"] = steps
		}
		s.items = append(s.items, fields)
	}
}

// file is the export file.
func (s *simulation) file(t *testing.T, version zabbixserver.Version) string {
	t.Helper()
	groups := "template_groups"
	if version == zabbixserver.V60 {
		groups = "groups"
	}
	const group = "Templates/Applications"
	text, err := yaml.Marshal(map[string]any{"zabbix_export": map[string]any{
		"version": string(version),
		groups:    []map[string]any{{"uuid": "a571c0d144b14fd4a87a9d9b2aa9fcd6", "name": group}},
		"templates": []map[string]any{{
			"uuid": uuidFor(0), "template": simulatedName, "name": simulatedName, "groups": []map[string]any{{"name": group}}, "items": s.items,
		}},
	}})
	require.NoError(t, err)
	return string(text)
}

// uuidFor is the UUID of the nth object.
func uuidFor(n int) string { return fmt.Sprintf("%012x40008000%012x", n, n) }

// lastValues are the last values of a host's items by their keys, without those that have none. The error of an item fails the test.
func lastValues(t *testing.T, s *zabbixserver.Server, hostID string) map[string]string {
	t.Helper()
	items, err := s.API().Items(hostID)
	require.NoError(t, err)
	values := map[string]string{}
	for _, item := range items {
		require.Empty(t, item.Error, item.Key)
		if !item.LastAt.IsZero() {
			values[item.Key] = item.LastValue
		}
	}
	return values
}

// createFleet makes the virtual host of a fleet whose items are calculated each second.
func createFleet(t *testing.T, s *zabbixserver.Server, name string, macros map[string]string) (hostID string) {
	t.Helper()
	hostID, err := s.API().CreateHost(zabbixapi.Host{Name: name, Groups: []string{"Views"}, Templates: []string{"Hosting fleet"}, Macros: macros})
	require.NoError(t, err)
	require.NoError(t, s.API().SpeedUp(hostID, "1s"))
	return hostID
}
