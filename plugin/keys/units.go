package keys

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/checks/oomunit"
	"zabbix-agent2-plugin-hosting/checks/unit"
)

// unitReader is systemd, as far as it is asked; a unit.Reader is one.
type unitReader interface {
	OfProcess(ctx context.Context, pid int) (string, error)
	Facts(ctx context.Context, names ...string) ([]unit.Facts, error)
	Killed(ctx context.Context) (unit.Killed, error)
	Close()
}

// OOMReport is the value of hosting.oom.get.
type OOMReport struct {
	*oom.Report
	// Cgroups tells in which units processes were killed; absent on hosts that do not count it.
	Cgroups *oomunit.Report `json:"cgroups,omitempty"`
	// Units is nil where no systemd runs.
	*Units
}

// Units is what systemd adds to it.
type Units = unit.Report

func evaluateOOM(ctx context.Context, c *Checks, _ map[string]string) (any, error) {
	return c.OOMAndUnits(ctx)
}

// OOMAndUnits returns OOM's report with the units that matter when memory runs out: the agent's, nginx's, and those that the OOM
// killer stopped. Units that cannot be told are no error but a field of the payload.
func (c *Checks) OOMAndUnits(ctx context.Context) (*OOMReport, error) {
	kills, err := c.OOM(ctx)
	if err != nil {
		return nil, err
	}

	cgroups := c.killed.get(ctx)
	report, err := c.unitReport(ctx)

	switch {
	case errors.Is(err, unit.ErrNoSystemd):
		return &OOMReport{Report: kills, Cgroups: cgroups}, nil
	case err != nil:
		report = &Units{UnitsError: err.Error()}
	}

	if report.AgentUnit != nil {
		addVictims(report.AgentUnit, kills)
	}

	for i := range report.Units {
		addVictims(&report.Units[i], kills)
	}

	return &OOMReport{Report: kills, Cgroups: cgroups, Units: report}, nil
}

func (c *Checks) unitReport(ctx context.Context) (*Units, error) {
	asked, cancel := unit.Patient(ctx)
	defer cancel()

	killed, err := c.units.Killed(asked)
	if err != nil {
		return nil, err
	}

	agent, err := c.agentUnit(asked)
	if err != nil {
		return nil, err
	}

	nginx, err := c.nginx.UnitNames(ctx)
	if err != nil {
		return nil, err
	}

	known, err := c.units.Facts(asked, nginx...)
	if err != nil {
		return nil, err
	}

	report := &Units{AgentUnit: agent, Units: []unit.Fate{}, UnitsOmitted: killed.Omitted}

	for _, f := range append(known, killed.Units...) {
		listed := slices.ContainsFunc(report.Units, func(other unit.Fate) bool { return other.Unit == f.Unit })
		if !listed && (agent == nil || agent.Unit != f.Unit) {
			report.Units = append(report.Units, unit.Fate{Facts: f})
		}
	}

	slices.SortFunc(report.Units, func(a, b unit.Fate) int { return cmp.Compare(a.Unit, b.Unit) })
	report.UnitsOOMKilled = new(countStopped(report))

	return report, nil
}

// agentUnit is the unit of the process that the agent started; nil where it did not start one.
func (c *Checks) agentUnit(ctx context.Context) (*unit.Fate, error) {
	link := c.process.Status().Link.PID
	if link == 0 {
		return nil, nil
	}

	name, err := c.units.OfProcess(ctx, link)
	if err != nil || name == "" {
		return nil, err
	}

	facts, err := c.units.Facts(ctx, name)
	if err != nil {
		return nil, err
	}

	return &unit.Fate{Facts: facts[0]}, nil
}

func countStopped(report *Units) int {
	stopped := 0

	for _, u := range report.Units {
		if u.StoppedByOOM() {
			stopped++
		}
	}

	if report.AgentUnit != nil && report.AgentUnit.StoppedByOOM() {
		stopped++
	}

	return stopped
}

// addVictims tells which of the kernel log's victims were in a unit: systemd forgets why it started one again.
func addVictims(u *unit.Fate, kills *oom.Report) {
	if !kills.VictimsKnown {
		return
	}

	u.OOMKills = new(0)

	for _, v := range kills.Victims {
		if !slices.Contains(strings.Split(v.Cgroup, "/"), u.Unit) {
			continue
		}

		*u.OOMKills++

		if u.LastOOMAt == nil || v.At > *u.LastOOMAt {
			u.LastOOMAt, u.LastOOMAgeS = new(v.At), new(v.AgeS)
		}
	}
}
