//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// playLimit is how long all scenarios together may take on a busy machine.
const playLimit = 4 * time.Minute

// settling is how long the server may take for values, so that those of the faults come to an idle one, as in life.
const settling = 5 * time.Second

// stage is where all scenarios are played at once: the server takes seconds to know a host and what was discovered on it, one or many.
type stage struct {
	server  *zabbixserver.Server
	players map[string]*player
	// triggers are the names of each host's triggers by their ids.
	triggers map[*player]map[string]string
}

func newStage(s *zabbixserver.Server) *stage {
	return &stage{server: s, players: map[string]*player{}, triggers: map[*player]map[string]string{}}
}

// add makes a host for each scenario of a file's table. The scenarios' names get an addition. form is how the file is imported.
func (g *stage) add(t *testing.T, name string, table map[string]scenario, addition string, form form) {
	t.Helper()
	text, template := form(t, name)
	require.NoError(t, g.server.API().ImportTemplates(text))
	for scene, c := range table {
		scene += addition
		g.players[scene] = newPlayer(g.server, scene, template, prefixOf(name, c), c)
	}
}

// play plays all scenarios. What went wrong with one is in its player.
func (g *stage) play(t *testing.T) {
	t.Helper()
	started := time.Now()
	g.begin(t)
	t.Logf("the faults are sent %.1f s after the hosts were made", time.Since(started).Seconds())
	for deadline := time.Now().Add(playLimit); g.pending() > 0 && time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		problems, err := g.server.API().Problems(g.hosts()...)
		require.NoError(t, err)
		g.each(func(p *player) { p.tick(); p.watch(problems, g.triggers[p]) })
	}
	t.Logf("%d of %d scenarios have been played after %.1f s", len(g.players)-g.pending(), len(g.players), time.Since(started).Seconds())
}

// begin plays all scenarios up to the faults' end.
func (g *stage) begin(t *testing.T) {
	t.Helper()
	require.NoError(t, g.server.Sync())
	g.each(func(p *player) { p.learn(); p.introduce() })
	g.awaitTriggers()
	require.NoError(t, g.server.Sync())
	g.each(func(p *player) { p.learn(); p.live(); p.hurry(g.server.API()) })
	require.NoError(t, g.server.Sync())
	time.Sleep(settling)
	g.each((*player).fail)
}

// each does something with each scenario that can go on.
func (g *stage) each(do func(*player)) {
	for _, p := range g.players {
		if p.err == nil && !p.done {
			do(p)
		}
	}
}

func (g *stage) pending() int {
	n := 0
	g.each(func(*player) { n++ })
	return n
}

func (g *stage) hosts() []string {
	var ids []string
	g.each(func(p *player) { ids = append(ids, p.id) })
	return ids
}

// awaitTriggers waits until each host has the trigger of its scenario, which a discovery rule may have to make first. One that does not come fails its own scenario.
func (g *stage) awaitTriggers() {
	g.each(func(p *player) {
		if _, p.err = g.server.API().WaitTrigger(p.id, p.trigger, patience); p.err != nil {
			return
		}
		var all []zabbixapi.Trigger
		all, p.err = g.server.API().Triggers(p.id)
		g.triggers[p] = make(map[string]string, len(all))
		for _, trigger := range all {
			g.triggers[p][trigger.ID] = trigger.Name
		}
	})
}

// require checks how a scenario went and prints how long the server took.
func (p *player) require(t *testing.T, s *zabbixserver.Server) {
	t.Helper()
	require.NoError(t, p.err)
	c := p.scenario
	if !p.done {
		trigger, err := s.API().Trigger(p.id, p.trigger)
		require.NoError(t, err)
		require.NotNil(t, p.problem, "%s does not go to PROBLEM: %+v", p.trigger, trigger)
		require.Fail(t, "the problem goes on", "%+v: %+v", *p.problem, trigger)
	}
	t.Logf("%s %q; seen %.1f s, over %.1f s after the last value that it takes", p.after(), p.problem.Name, p.seen.Seconds(), p.over.Seconds())
	require.True(t, strings.HasPrefix(p.problem.Name, p.trigger), p.problem.Name)
	require.Regexp(t, c.event, strings.TrimPrefix(p.problem.Name, p.trigger))
	require.Regexp(t, c.opData, p.problem.OpData)
	require.Equal(t, c.severity, p.problem.Severity)
	require.False(t, p.problem.At.Before(p.fault.Truncate(time.Second)), "the problem began before the fault")
	require.Empty(t, p.others, "a fault is one problem")
}

// after is the time from the last value without the fault to the problem.
func (p *player) after() string {
	return fmt.Sprintf("%s after the last good value:", p.problem.At.Sub(p.fault).Round(time.Second))
}

func (g *stage) require(t *testing.T) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(g.players)) {
		t.Run(name, func(t *testing.T) { g.players[name].require(t, g.server) })
	}
}

// form returns the text that is imported of a file of the repository, and its template.
type form func(t *testing.T, name string) (text, template string)

// active is the file of the repository for active checks.
func active(version zabbixserver.Version) form {
	return func(t *testing.T, name string) (string, string) {
		t.Helper()
		f := read(t, filepath.Join("..", string(version), strings.Replace(name, ".yaml", "_active.yaml", 1)))
		return f.text, f.templates[0]
	}
}

// pushed is the form of a passive template whose values a test can send with their times: all that the server asks for is sent by the agent.
func pushed(version zabbixserver.Version) form {
	return func(t *testing.T, name string) (string, string) {
		t.Helper()
		f := read(t, filepath.Join("..", string(version), name))
		return activeForm(t, f.text), f.templates[0]
	}
}
