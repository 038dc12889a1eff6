//go:build e2e

package e2e

import (
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"zabbix-agent2-plugin-hosting/testenv/trapper"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// scenario is how one trigger gets its problem and loses it. All is well for 40 minutes, the fault lasts 20, and all is well for 20 more. None of them passes:
// the values say when they were taken, and triggers look at that. Only functions of the time itself, such as nodata and now, and calculated items go by the clock.
type scenario struct {
	// template is a file's name.
	template string
	// macros are those of the host.
	macros map[string]string
	// good and bad are what the plugin says without and with the fault, as changes of the golden values.
	good, bad []change
	// trigger is its name, as on the host. The event's name and its operational data match event and opData, regular expressions.
	trigger, event, opData string
	severity               int
}

const (
	wellFor   = 40 * time.Minute
	faultFor  = 20 * time.Minute
	valueStep = time.Minute
)

// play runs a scenario and logs how long the server took. The template has to be imported in its activeForm.
func (c scenario) play(t *testing.T, s *zabbixserver.Server, name, template string) {
	t.Helper()
	id, err := s.API().CreateHost(zabbixapi.Host{Name: name, Templates: []string{template}, Macros: c.macros})
	require.NoError(t, err)
	p := player{host: name, client: trapper.New(s.Address())}
	now := time.Now()
	fault, recovery := now.Add(-faultFor), now

	// What is discovered gets no values before the server has made items of it.
	p.learn(t, s)
	p.send(t, fault.Add(-wellFor-valueStep), c.good)
	_, err = s.API().WaitTrigger(id, c.trigger, patience)
	require.NoError(t, err)
	p.learn(t, s)

	p.sendAll(t, fault.Add(-wellFor), fault, c.good)
	p.sendAll(t, fault, recovery, c.bad)
	problem, took, err := s.API().WaitProblem(id, c.trigger, patience)
	require.NoError(t, err)
	t.Logf("%q %s after the fault, seen by the server %.1f s after its last value", problem.Name, problem.At.Sub(fault).Round(time.Second), took.Seconds())
	require.Regexp(t, c.event, problem.Name)
	require.Regexp(t, c.opData, problem.OpData)
	require.Equal(t, c.severity, problem.Severity)
	require.False(t, problem.At.Before(fault.Truncate(time.Second)), "the problem began before the fault")

	p.sendAll(t, recovery, recovery.Add(faultFor), c.good)
	took, err = s.API().WaitOK(id, c.trigger, patience)
	require.NoError(t, err)
	t.Logf("OK, seen by the server %.1f s after the last value", took.Seconds())
}

// player sends values as the active agent of a host.
type player struct {
	host   string
	client *trapper.Client
	items  []trapper.Item
}

// learn takes over what the server asks for, once it works with all that has been made so far.
func (p *player) learn(t *testing.T, s *zabbixserver.Server) {
	t.Helper()
	require.NoError(t, s.Sync())
	var err error
	p.items, err = p.client.ActiveItems(p.host)
	require.NoError(t, err)
	require.NotEmpty(t, p.items)
}

// sendAll sends a value of each key for each step after from, up to until.
func (p *player) sendAll(t *testing.T, from, until time.Time, changes []change) {
	t.Helper()
	for at := from.Add(valueStep); !at.After(until); at = at.Add(valueStep) {
		p.send(t, at, changes)
	}
}

// send sends a value of each key.
func (p *player) send(t *testing.T, at time.Time, changes []change) {
	t.Helper()
	values := make([]trapper.Value, len(p.items))
	for i, item := range p.items {
		values[i] = trapper.Value{Host: p.host, Key: item.SendAs, Value: payload(t, item.Key, changes...), At: at}
	}
	result, err := p.client.SendAgent(values...)
	require.NoError(t, err)
	require.Equal(t, trapper.Result{Processed: len(values)}, result)
}

// activeForm makes all that a template asks the agent active, for only active items take values that say when they were taken.
func activeForm(t *testing.T, text string) string {
	t.Helper()
	var document yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(text), &document))
	changed := makeActive(&document)
	require.Positive(t, changed)
	active, err := yaml.Marshal(&document)
	require.NoError(t, err)
	return string(active)
}

// makeActive gives each item without a type, which is a passive one, the type of active ones, and returns how many there were.
func makeActive(node *yaml.Node) int {
	changed := 0
	for i, below := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 1 {
			switch node.Content[i-1].Value {
			case "items", "item_prototypes", "discovery_rules":
				for _, item := range below.Content {
					if !has(item, "type") && has(item, "key") {
						item.Content = append(item.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "type"}, &yaml.Node{Kind: yaml.ScalarNode, Value: "ZABBIX_ACTIVE"})
						changed++
					}
				}
			}
		}
		changed += makeActive(below)
	}
	return changed
}

// has tells whether a mapping has a key.
func has(mapping *yaml.Node, key string) bool {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return true
		}
	}
	return false
}

// playAll plays scenarios by their names in servers of both versions.
func playAll(t *testing.T, scenarios map[string]scenario) {
	eachVersion(t, func(t *testing.T, s *zabbixserver.Server) {
		imported := map[string]string{}
		for name, c := range scenarios {
			t.Run(name, func(t *testing.T) {
				if imported[c.template] == "" {
					f := read(t, filepath.Join("..", string(s.Version()), c.template))
					require.NoError(t, s.API().ImportTemplates(activeForm(t, f.text)))
					imported[c.template] = f.templates[0]
				}
				c.play(t, s, hostName.ReplaceAllString(name, "-"), imported[c.template])
			})
		}
	})
}

// hostName matches what a host's name may not have.
var hostName = regexp.MustCompile(`[^A-Za-z0-9]+`)
