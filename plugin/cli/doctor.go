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

// The doctor names the agent's usual user, so that its commands can be pasted whoever asks it.
const (
	mendHelper     = "see the root helper"
	mendReclaim    = "zabbix-hosting-helper of the same version as the plugin, or run as root"
	mendKmsg       = "see the root helper, or sysctl kernel.dmesg_restrict=0   # as root"
	mendSandbox    = "allow seccomp user notification (Linux 5.9 and later) or ptrace of own children (sysctl kernel.yama.ptrace_scope=1)"
	mendHelperFile = "correct the helper's file; zabbix-hosting-helper --check tells when it is right"
	mendNone       = "nothing does: this kernel does not have it"
	mendVersion    = "install helper and plugin of one version"
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

	if slices.ContainsFunc(findings, func(f finding) bool { return f.mark() == markBad }) {
		return &outcome{status: exitFailed}
	}

	return nil
}

func userName() string {
	if current, err := user.Current(); err == nil {
		return current.Username
	}

	return fmt.Sprint(os.Getuid())
}

// examine tries everything that the checks need.
func examine(checks *keys.Checks, options config.Options) []finding {
	caches, reclaimable, units := examineSlab(checks)

	return slices.Concat(
		examineHelper(helper.NewClient(options.HelperSocket)),
		examineKey(checks, "hosting.memory.get", "kernel memory", ""),
		[]finding{caches, reclaimable},
		examineOOM(checks),
		examinePayload(checks, "hosting.listener.events", "listener watch", listenerFinding),
		examinePayload(checks, "hosting.slab.owners", "slab owners", ownersFinding),
		[]finding{units},
		examinePayload(checks, "hosting.kmemleak.get", "kmemleak", kmemleakFinding),
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

	return []finding{failing(name, err, mend)}
}

// failing is the finding of a key that has no value.
func failing(name string, err error, mend string) finding {
	switch _, ofHelper := errors.AsType[*helper.UnusableError](err); {
	case ofHelper:
		mend = mendHelper
	case keys.StateOf(err) == keys.StateNotSupported:
		mend = mendNone
	}

	return broken(name, err.Error(), mend)
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
