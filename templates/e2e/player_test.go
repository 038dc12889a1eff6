//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/trapper"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// hostName matches what a host's name may not have.
var hostName = regexp.MustCompile(`[^A-Za-z0-9]+`)

// player plays a scenario as the active agent of a host of its own.
type player struct {
	scenario scenario
	// trigger is the trigger's whole name.
	trigger, host, id string
	client            *trapper.Client
	items             []trapper.Item

	// begin is when the first value was taken, fault when the last one without the fault, or the last one of all.
	begin, fault time.Time
	now          moment
	problem      *zabbixapi.Problem
	// others are the names of the other problems that the host had then.
	others []string
	// seen and over are how long the server took for the problem and its end after it got the last value that it needs.
	sent       time.Time
	seen, over time.Duration
	done       bool
	err        error
}

// newPlayer makes the host of a scenario, with a template that must be in the form for active checks.
func newPlayer(s *zabbixserver.Server, name, template, prefix string, c scenario) *player {
	p := &player{scenario: c.withDefaults(), trigger: prefix + c.trigger, host: hostName.ReplaceAllString(name, "-"), client: trapper.New(s.Address())}
	h := zabbixapi.Host{Name: p.host, Templates: []string{template}, Macros: c.macros}
	if c.clock == silence {
		h.Macros = nil
	}
	p.id, p.err = s.API().CreateHost(h)
	if p.err == nil && c.clock == server {
		p.err = s.API().SpeedUp(p.id, "1s")
	}
	return p
}

// hurry lets a silence be told as soon as the scenario wants. While the host was made and discovered it would have been told too early.
func (p *player) hurry(api *zabbixapi.Client) {
	if p.scenario.clock != silence {
		return
	}
	for macro, value := range p.scenario.macros {
		p.err = errors.Join(p.err, api.SetMacro(p.id, macro, value))
	}
}

// learn takes over what the server asks for, as it is known to the server now.
func (p *player) learn() {
	if p.err == nil {
		p.items, p.err = p.client.ActiveItems(p.host)
	}
	if p.err == nil && len(p.items) == 0 {
		p.err = fmt.Errorf("cannot play: the server asks %s for nothing; mend the template", p.host)
	}
}

// introduce sends the first value of each key, so that what is discovered gets items.
func (p *player) introduce() {
	p.schedule()
	p.send(p.valuesAt(p.begin.Add(-time.Hour), true))
}

// schedule has the last value be taken now.
func (p *player) schedule() {
	c := p.scenario
	switch end := p.time().Add(-c.ago); c.clock {
	case values:
		p.fault = end.Add(-c.after - c.ill)
		p.begin = p.fault.Add(-c.well)
	case server:
		p.fault = end.Add(-c.ill)
		p.begin = p.fault.Add(-c.well)
	case silence:
		p.begin, p.fault = end, end
	}
}

// time is that of the host's clock.
func (p *player) time() time.Time { return time.Now().Add(p.scenario.ahead) }

// live sends the values of the time before the fault.
func (p *player) live() {
	p.schedule()
	all := p.valuesAt(p.begin, true)
	if p.scenario.clock != silence {
		all = append(all, p.part(&p.now.well, p.scenario.well)...)
	}
	p.send(all)
	p.sent = time.Now()
}

// fail sends the values of the fault, if there are any.
func (p *player) fail() {
	if p.scenario.clock != silence {
		p.send(p.part(&p.now.ill, p.scenario.ill, p.scenario.bad...))
		p.sent = time.Now()
	}
}

// tick sends values of the keys that do not fall silent, where another one does.
func (p *player) tick() {
	if p.scenario.silent == "" || p.problem != nil {
		return
	}
	var others []trapper.Value
	for _, value := range p.valuesAt(p.time(), true) {
		if bare(value.Key) != p.scenario.silent {
			others = append(others, value)
		}
	}
	p.send(others)
}

// recover sends the values after the fault.
func (p *player) recover() {
	c := p.scenario
	if c.clock == values {
		p.send(p.part(&p.now.after, c.after))
	} else {
		p.now.after++
		p.send(p.valuesAt(p.time(), c.clock == silence))
	}
	p.sent = time.Now()
}

// part is a value of each key that the fault concerns for each step of a part, which minutes counts.
func (p *player) part(minutes *float64, lasts time.Duration, changes ...change) []trapper.Value {
	var all []trapper.Value
	for passed := p.scenario.step; passed <= lasts; passed += p.scenario.step {
		*minutes = passed.Minutes()
		at := p.begin.Add(time.Duration((p.now.well + p.now.ill + p.now.after) * float64(time.Minute)))
		all = append(all, p.valuesAt(at, false, changes...)...)
	}
	return all
}

// valuesAt is a value of each key, or only of those that the fault concerns.
func (p *player) valuesAt(at time.Time, whole bool, changes ...change) []trapper.Value {
	var all []trapper.Value
	for _, item := range p.items {
		if p.err != nil || !whole && !p.scenario.concerns(item.Key) {
			continue
		}
		var value string
		value, p.err = p.scenario.value(item.Key, p.now, changes...)
		all = append(all, trapper.Value{Host: p.host, Key: item.SendAs, Value: value, At: at})
	}
	return all
}

func (p *player) send(values []trapper.Value) {
	if p.err != nil {
		return
	}
	var result trapper.Result
	result, p.err = p.client.SendAgent(values...)
	if p.err == nil && result != (trapper.Result{Processed: len(values)}) {
		p.err = fmt.Errorf("cannot play: the server took %d of %d values of %s; look into its log", result.Processed, len(values), p.host)
	}
}

// watch looks at the host's problems, and goes on with the recovery or ends where there is what was waited for.
func (p *player) watch(problems []zabbixapi.Problem, names map[string]string) {
	var own *zabbixapi.Problem
	var others []string
	for i, problem := range problems {
		if names[problem.TriggerID] == p.trigger {
			own = &problems[i]
		} else if name, onHost := names[problem.TriggerID]; onHost {
			others = append(others, name)
		}
	}
	switch {
	case p.problem == nil && own != nil:
		p.problem, p.others, p.seen = own, others, time.Since(p.sent)
		p.recover()
	case p.problem != nil && own == nil:
		p.over, p.done = time.Since(p.sent), true
	}
}
