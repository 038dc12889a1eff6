package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/plugin/config"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/plugin/keys"
	"zabbix-agent2-plugin-hosting/plugin/table"
)

// finding is one line of the doctor's report.
type finding struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Found string `json:"found"`
	Mend  string `json:"mend,omitempty"` // a command, or what to do
}

// The doctor names the agent's usual user, so that its commands can be pasted whoever asks it.
const (
	mendHelper     = "see the root helper"
	mendReclaim    = "zabbix-hosting-helper of the same version as the plugin, or run as root"
	mendKmsg       = "see the root helper, or sysctl kernel.dmesg_restrict=0   # as root"
	mendSandbox    = "allow seccomp user notification (Linux 5.9 and later) or ptrace of own children (sysctl kernel.yama.ptrace_scope=1)"
	mendHelperFile = "correct the helper's file; zabbix-hosting-helper --check tells when it is right"
	mendNone       = "nothing does: this kernel does not have it"
)

func (a *app) doctor(flags *flag.FlagSet, args []string) error {
	asJSON := flags.Bool("json", false, "print JSON")
	if err := parse(flags, args, 0); err != nil {
		return err
	}

	findings := examine(a.checks(), config.Defaults())

	if err := a.showFindings(findings, *asJSON); err != nil {
		return err
	}

	if slices.ContainsFunc(findings, func(f finding) bool { return !f.OK }) {
		return &outcome{status: exitFailed}
	}

	return nil
}

func (a *app) showFindings(findings []finding, asJSON bool) error {
	if asJSON {
		return a.printJSON(findings)
	}

	text := table.Table{Columns: []table.Column{{Title: ""}, {Title: "check"}, {Title: "found"}}}
	for _, f := range findings {
		mark := markOK
		if !f.OK {
			mark = markBad
		}

		found := f.Found
		if f.Mend != "" {
			found += "; mend: " + f.Mend
		}

		text.Add(mark, f.Name, found)
	}

	_, err := fmt.Fprintf(a.out, "%s %s as user %s\n\n%s", Program, a.version, userName(), a.paintMarks(text.String()))

	return err
}

const (
	markOK  = "ok"
	markBad = "NO"
)

// paintMarks colors the mark at the start of each line; a table takes no color itself, as that would spoil its widths.
func (a *app) paintMarks(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, markOK); ok {
			lines[i] = a.paint(green, markOK) + rest
		} else if rest, ok := strings.CutPrefix(line, markBad); ok {
			lines[i] = a.paint(red, markBad) + rest
		}
	}

	return strings.Join(lines, "\n")
}

func userName() string {
	if current, err := user.Current(); err == nil {
		return current.Username
	}

	return fmt.Sprint(os.Getuid())
}

// examine tries everything that the checks need.
func examine(checks *keys.Checks, options config.Options) []finding {
	return slices.Concat(
		examineHelper(helper.NewClient(options.HelperSocket)),
		examineKey(checks, "hosting.memory.get", "kernel memory", ""),
		examineKey(checks, "hosting.slab.get", "slab caches", ""),
		examineReclaimable(checks),
		examineOOM(checks),
		examineSandbox(sandbox.New().Techniques()),
	)
}

// examineHelper asks the helper, which a plugin that is root does without.
func examineHelper(client *helper.Client) []finding {
	const name = "root helper"

	defer client.Close()

	status, err := client.Status(context.Background())
	unusable, _ := errors.AsType[*helper.UnusableError](err)

	switch {
	case err == nil && status.ConfigurationError != "":
		return []finding{broken(name, status.ConfigurationError, mendHelperFile)}
	case err == nil:
		return []finding{{Name: name, OK: true, Found: fmt.Sprintf("version %s answers, with %d KiB of memory", status.Version, status.RSSBytes>>10)}}
	case unusable != nil && unusable.State == helper.Absent && os.Geteuid() == 0:
		return []finding{{Name: name, OK: true, Found: "it is not installed; root does not need it, an agent that is an ordinary user does"}}
	}

	problem, mend, _ := strings.Cut(err.Error(), "; ")

	return []finding{broken(name, problem, mend)}
}

// examineKey evaluates a key as an item would.
func examineKey(checks *keys.Checks, key, name, mend string) []finding {
	_, err := checks.Evaluate(context.Background(), key, nil)
	if err == nil {
		return []finding{{Name: name, OK: true, Found: key + " works"}}
	}

	switch _, ofHelper := errors.AsType[*helper.UnusableError](err); {
	case ofHelper:
		mend = mendHelper
	case keys.StateOf(err) == keys.StateNotSupported:
		mend = mendNone
	}

	return []finding{broken(name, err.Error(), mend)}
}

// broken is the finding of what does not work. An error ends with what mends it; the doctor's own command takes its place.
func broken(name, problem, mend string) finding {
	if mend != "" {
		problem, _, _ = strings.Cut(problem, "; ")
	}

	return finding{Name: name, Found: problem, Mend: mend}
}

// examineReclaimable tells whether slab bytes can be told apart into reclaimable and not.
func examineReclaimable(checks *keys.Checks) []finding {
	const name = "reclaimable or not"

	var report struct {
		Attributed *uint64 `json:"attributed_unreclaimable_bytes"`
	}

	value, err := checks.Evaluate(context.Background(), "hosting.slab.get", nil)
	if err != nil || json.Unmarshal([]byte(value), &report) != nil {
		return []finding{{Name: name, Found: "not tried, since the slab caches cannot be read"}}
	}

	if report.Attributed == nil {
		return []finding{{
			Name: name, Mend: mendReclaim,
			Found: "cannot tell reclaimable caches from others: /sys/kernel/slab/*/reclaim_account cannot be read",
		}}
	}

	return []finding{{Name: name, OK: true, Found: "SUnreclaim is attributed to caches, and what no cache holds is known"}}
}

func examineOOM(checks *keys.Checks) []finding {
	var report struct {
		Kills        *uint64           `json:"kills"`
		VictimsKnown bool              `json:"victims_known"`
		VictimsError string            `json:"victims_error"`
		Sources      []oom.SourceState `json:"sources"`
	}

	value, err := checks.Evaluate(context.Background(), "hosting.oom.get", nil)
	if err == nil {
		err = json.Unmarshal([]byte(value), &report)
	}

	if err != nil {
		return []finding{{Name: "OOM kills", Found: err.Error()}}
	}

	kills := finding{Name: "OOM kills", OK: true, Found: "hosting.oom.get counts them"}
	if report.Kills == nil {
		kills = finding{Name: "OOM kills", Found: "the kernel does not count OOM kills (before 4.13)", Mend: mendNone}
	}

	victims := finding{Name: "OOM victims", OK: true, Found: "known from " + table.Sources(report.Sources)}
	if !report.VictimsKnown {
		victims = broken("OOM victims", report.VictimsError, mendKmsg)
	}

	return []finding{kills, victims}
}

// examineSandbox tells how nginx configurations are tested without touching the host.
func examineSandbox(techniques []sandbox.Availability) []finding {
	const name = "nginx tests"

	var problems []string

	for _, t := range techniques {
		if t.Works {
			return []finding{{Name: name, OK: true, Found: "a test changes nothing: technique " + t.Technique.String() + " works"}}
		}

		problems = append(problems, t.Technique.String()+": "+t.Why)
	}

	return []finding{{Name: name, Found: "nothing keeps a test from changing the host (" + strings.Join(problems, ", ") + ")", Mend: mendSandbox}}
}
