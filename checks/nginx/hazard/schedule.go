package hazard

import (
	"cmp"
	"slices"

	"zabbix-agent2-plugin-hosting/checks/enum"
)

// Kind is what runs a test.
type Kind int

// The kinds.
const (
	KindCron Kind = 1
	// KindTimer is a service that a timer or a path unit of systemd starts.
	KindTimer   Kind = 2
	KindSudoers Kind = 3
	// KindZabbix is a UserParameter of a Zabbix agent.
	KindZabbix Kind = 4
	// KindStart is a service of systemd that runs a test when it is started or reloaded.
	KindStart Kind = 5
)

var kindNames = enum.Of[Kind]("kind", "", "cron", "timer", "sudoers", "zabbix", "start")

// String is the name, such as "cron".
func (k Kind) String() string { return kindNames.Name(k) }

// phrase is how a sentence begins.
func (k Kind) phrase() string {
	switch k {
	case KindCron:
		return "a cron job"
	case KindTimer:
		return "a unit that systemd starts by itself"
	case KindSudoers:
		return "a user who may do so through sudo"
	case KindZabbix:
		return "a UserParameter of the Zabbix agent"
	default:
		return "something"
	}
}

// Place is where an ordinary test is run.
type Place struct {
	Kind Kind
	File string
	Line int
	// Test is the program and its option alone, such as "/usr/sbin/nginx -t": the rest of a line may hold secrets.
	Test string
	// Via is the file and line that run File, where that is a script.
	Via string
}

// Schedule is who runs ordinary tests on a host.
type Schedule struct {
	// Places are sorted by file and line, at most 50.
	Places  []Place
	Omitted int
	// Unreadable are files and directories that this user may not read, at most 20.
	Unreadable        []string
	UnreadableOmitted int
	// Incomplete says that a limit was met: there may be more places.
	Incomplete bool
}

// Scheduled looks for ordinary tests in cron's tables and scripts (crontab(5)), in the services of systemd
// (systemd.service(5)), in sudoers(5) and in the UserParameters of Zabbix agents, and in the scripts that these name. It
// looks below root, on a real system "/".
func Scheduled(root string) Schedule {
	s := scanner{root: root, scripts: map[string]bool{}, places: map[Place]bool{}, unreadable: map[string]bool{}}
	s.cron()
	s.sudoers()
	s.zabbix()
	s.systemd()

	return s.schedule()
}

func (s *scanner) schedule() Schedule {
	all := Schedule{Incomplete: s.incomplete}

	for p := range s.places {
		all.Places = append(all.Places, p)
	}

	for path := range s.unreadable {
		all.Unreadable = append(all.Unreadable, path)
	}

	slices.SortFunc(all.Places, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Via, b.Via),
			cmp.Compare(a.Test, b.Test))
	})
	slices.Sort(all.Unreadable)

	all.Places, all.Omitted = capped(all.Places, 50)
	all.Unreadable, all.UnreadableOmitted = capped(all.Unreadable, 20)

	return all
}

func capped[T any](all []T, limit int) (kept []T, omitted int) {
	kept = all[:min(len(all), limit)]

	return kept, len(all) - len(kept)
}
