package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/plugin/config"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/plugin/keys"
	"zabbix-agent2-plugin-hosting/plugin/table"
)

const doctorDetails = `
Each line was tried by this process, as this user, with the options of the agent's configuration: sudo -u zabbix ` + Program + ` doctor tells what
the agent sees. ok marks what works, NO what is to be mended, and -- what this kernel or container lets nobody have, and what does not matter here.

Exit status: 0 no line says NO, 1 one does, 2 wrong call.
`

// The doctor names the agent's usual user, so that its commands can be pasted whoever asks it.
const (
	mendHelper     = "see root helper above, the one cause of this"
	mendReclaim    = "zabbix-hosting-helper of the same version as the plugin, or run as root"
	mendKmsg       = "see root helper above, or sysctl kernel.dmesg_restrict=0   # as root"
	mendSandbox    = "allow seccomp user notification (Linux 5.9 and later) or ptrace of own children (sysctl kernel.yama.ptrace_scope=1)"
	mendHelperFile = "correct the helper's file; zabbix-hosting-helper --check tells when it is right"
	mendVersion    = "install helper and plugin of one version"
	mendOptions    = "correct it, as the agent does not start with it; what follows was tried with the defaults"

	asRoot  = "absent; this was tried as root: run sudo -u zabbix " + Program + " doctor for what the agent sees"
	noAgent = "there is no " + config.AgentFile + "; what follows was tried with the defaults"
)

func (a *app) doctor(flags *flag.FlagSet, args []string) error {
	asJSON := flags.Bool("json", false, "print JSON")
	file := optionsFlag(flags, "config")

	if err := parse(flags, args, 0); err != nil {
		return err
	}

	options, own := examineOptions(file)
	checks := a.checksWith(options)

	defer checks.Stop()

	findings := append([]finding{own}, examine(checks, options)...)

	if err := a.showFindings(findings, *asJSON); err != nil {
		return err
	}

	if slices.ContainsFunc(findings, func(f finding) bool { return f.mark() == markBad }) {
		return &outcome{status: exitFailed}
	}

	return nil
}

// examine tries everything that the checks need.
func examine(checks *keys.Checks, options config.Options) []finding {
	caches, reclaimable, units := examineSlab(checks)

	return slices.Concat(
		examineHelper(helper.NewClient(options.HelperSocket)),
		examineMemory(checks),
		[]finding{caches, reclaimable},
		examineOOM(checks),
		examinePayload(checks, "hosting.listener.events", "listener watch", listenerFinding),
		examinePayload(checks, "hosting.slab.owners", "slab owners", ownersFinding),
		[]finding{units},
		examinePayload(checks, "hosting.kmemleak.get", "kmemleak", kmemleakFinding),
		examineSandbox(sandbox.New().Techniques()),
	)
}

// examineMemory tries what every kernel has.
func examineMemory(checks *keys.Checks) []finding {
	const name, key = "kernel memory", "hosting.memory.get"

	if _, err := checks.Evaluate(context.Background(), key, nil); err != nil {
		return []finding{{Name: name, Found: err.Error()}}
	}

	return []finding{{Name: name, OK: true, Found: key + " works"}}
}

// failing is the finding of a key that has no value.
func failing(name string, err error) finding {
	if _, ofHelper := errors.AsType[*helper.UnusableError](err); ofHelper {
		return broken(name, err.Error(), mendHelper)
	}

	if keys.StateOf(err) == keys.StateNotSupported {
		problem, _, _ := strings.Cut(err.Error(), "; ")

		return finding{Name: name, Less: true, Found: problem + "; this kernel does not have it"}
	}

	return broken(name, err.Error(), "")
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
		return []finding{failing("OOM kills", err)}
	}

	kills := finding{Name: "OOM kills", OK: true, Found: "hosting.oom.get counts them"}
	if report.Kills == nil {
		kills = finding{Name: "OOM kills", Less: true, Found: "this kernel does not count OOM kills; Linux 4.13 and later do"}
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
