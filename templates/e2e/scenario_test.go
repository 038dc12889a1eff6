//go:build e2e

package e2e

import (
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

// playAll plays scenarios by their names in servers of both versions. All hosts are made before the first scenario is played, for the server takes seconds to
// know a host and what was discovered on it, one or many.
func playAll(t *testing.T, scenarios map[string]scenario) {
	eachVersion(t, func(t *testing.T, s *zabbixserver.Server) {
		imported := map[string]string{}
		players := map[string]*player{}
		for name, c := range scenarios {
			if imported[c.template] == "" {
				f := read(t, filepath.Join("..", string(s.Version()), c.template))
				require.NoError(t, s.API().ImportTemplates(activeForm(t, f.text)))
				imported[c.template] = f.templates[0]
			}
			p := &player{scenario: c, host: hostName.ReplaceAllString(name, "-"), client: trapper.New(s.Address())}
			var err error
			p.id, err = s.API().CreateHost(zabbixapi.Host{Name: p.host, Templates: []string{imported[c.template]}, Macros: c.macros})
			require.NoError(t, err)
			players[name] = p
		}
		// What is discovered gets no values before the server has made items of it.
		require.NoError(t, s.Sync())
		begin := time.Now().Add(-faultFor - wellFor)
		for _, p := range players {
			p.learn(t)
			p.send(t, begin, p.scenario.good)
		}
		for _, p := range players {
			// A trigger that does not come fails its own scenario.
			_, p.err = s.API().WaitTrigger(p.id, p.scenario.trigger, patience)
		}
		require.NoError(t, s.Sync())
		for name, p := range players {
			t.Run(name, func(t *testing.T) { p.play(t, s, begin) })
		}
	})
}

// hostName matches what a host's name may not have.
var hostName = regexp.MustCompile(`[^A-Za-z0-9]+`)

// player plays a scenario as the active agent of a host.
type player struct {
	scenario scenario
	host, id string
	client   *trapper.Client
	items    []trapper.Item
	err      error
}

// play sends the values of the whole scenario, which begins at begin, and logs how long the server took.
func (p *player) play(t *testing.T, s *zabbixserver.Server, begin time.Time) {
	t.Helper()
	require.NoError(t, p.err)
	p.learn(t)
	c, fault, recovery := p.scenario, begin.Add(wellFor), begin.Add(wellFor+faultFor)

	p.sendAll(t, begin, fault, c.good)
	p.sendAll(t, fault, recovery, c.bad)
	problem, took, err := s.API().WaitProblem(p.id, c.trigger, patience)
	require.NoError(t, err)
	t.Logf("%q %s after the fault, seen by the server %.1f s after its last value", problem.Name, problem.At.Sub(fault).Round(time.Second), took.Seconds())
	require.Regexp(t, c.event, problem.Name)
	require.Regexp(t, c.opData, problem.OpData)
	require.Equal(t, c.severity, problem.Severity)
	require.False(t, problem.At.Before(fault), "the problem began before the fault")

	p.sendAll(t, recovery, recovery.Add(faultFor), c.good)
	took, err = s.API().WaitOK(p.id, c.trigger, patience)
	require.NoError(t, err)
	t.Logf("OK, seen by the server %.1f s after the last value", took.Seconds())
}

// learn takes over what the server asks for, as it is known to the server now.
func (p *player) learn(t *testing.T) {
	t.Helper()
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
