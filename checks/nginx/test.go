package nginx

import (
	"errors"
	"fmt"
	"os"
	"time"

	"zabbix-agent2-plugin-hosting/checks/nginx/conf"
	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
)

const (
	maxListens = 100
	// minOpenFiles is what a test may open where nothing is known of the service's limit: a virtual host has a log of its own.
	minOpenFiles = 65_536
)

// test makes one test of the configuration of an instance.
func (m *Monitor) test(i instance.Instance) *outcome {
	began := time.Now()

	// Nothing of a container is opened: who is root in there could have us wait at a pipe.
	if v, refused := outOfReach(&i); refused {
		return &outcome{instance: i, verdict: v, test: Test{At: began.Unix(), Listens: []string{}}, fingerprint: fingerprint{settled: true}, endedAt: time.Now()}
	}

	read := conf.Walk(os.DirFS(rootOf(&i)+"/"), i.Config, i.Prefix)

	if v, refused := unsafeToRun(&i, read); refused {
		o := &outcome{
			instance: i, verdict: v, facts: factsWithout(read), test: Test{At: began.Unix(), Listens: []string{}}, endedAt: time.Now(),
		}
		o.fingerprint = takeFingerprint("", append(read.Files, i.Binary, i.Config), began)

		return o
	}

	o := m.perform(i, began)
	if o.test.Technique == int(sandbox.TechniqueNone) {
		o.facts = factsWithout(read)
	}

	return o
}

// perform makes the test that nothing stands against.
func (m *Monitor) perform(i instance.Instance, began time.Time) *outcome {
	o := &outcome{instance: i, test: Test{At: began.Unix(), Listens: []string{}}}
	command := m.command(&i)
	watch := m.watch(command.Namespaces)
	result, err := m.sandbox.Test(m.ctx, command)
	seen := watch.stop()
	o.endedAt = time.Now()

	if err != nil {
		o.verdict = notTested(err)
		o.fingerprint = takeFingerprint(rootOf(&i), []string{i.Binary, i.Config}, began)

		return o
	}

	o.take(result, rootOf(&i), began)
	o.verdict = judge(&i, result, command.AsRoot)
	// A change of a file that did not fit goes unnoticed.
	o.verdict.passing = o.verdict.passing || result.ReadsOmitted > 0
	o.sideEffects = m.sideEffects(&i, result, seen, began)
	o.test.During = seen.during

	return o
}

// command is how nginx is run.
func (m *Monitor) command(i *instance.Instance) sandbox.Command {
	var arguments instance.Arguments
	if i.Arguments.Config != "" {
		arguments.Config = i.Config
	}

	if i.Arguments.Prefix != "" {
		arguments.Prefix = i.Prefix
	}

	// A service that does not run is started by root.
	c := sandbox.Command{Binary: i.Binary, Timeout: m.options.Timeout, NoFile: minOpenFiles, AsRoot: !isRoot()}

	if master := i.Master; master != nil && trusted(master) {
		arguments.Directives = i.Arguments.Directives
		c.NoFile = max(c.NoFile, master.OpenFiles)
		c.AsRoot = master.UID == 0 && !isRoot()

		if inNamespaces(master) {
			c.Namespaces = master.PID
		}
	}

	c.Args = arguments.List()

	return c
}

// inNamespaces tells whether a test must enter those of the master. Only root can, and the result of others is of their own.
func inNamespaces(master *instance.Master) bool {
	return isRoot() && trusted(master) && (master.MountNS.Differs || master.NetNS.Differs)
}

// rootOf is the root directory of a test, as seen from here: empty for our own.
func rootOf(i *instance.Instance) string {
	if i.Master != nil && inNamespaces(i.Master) && i.Master.MountNS.Differs {
		return fmt.Sprintf("/proc/%d/root", i.Master.PID)
	}

	return ""
}

// take keeps what the test said and read.
func (o *outcome) take(r *sandbox.Result, root string, began time.Time) {
	o.facts = factsOf(r)
	o.test.DurationS, o.test.CPUS, o.test.MaxRSSBytes, o.test.ExitCode = r.DurationS, r.CPUS, r.MaxRSSBytes, r.ExitCode
	o.test.Technique, o.test.TechniqueName = int(r.Technique), r.Technique.String()
	o.test.Output = outputText(r)
	o.test.FilesRead = len(r.Reads) + r.ReadsOmitted

	for _, write := range r.Writes {
		if write.Errno == "" {
			o.test.WouldWrite++
		}
	}

	for _, bind := range r.Binds {
		if len(o.test.Listens) == maxListens {
			o.test.ListensOmitted++

			continue
		}

		o.test.Listens = append(o.test.Listens, bindText(bind))
	}

	paths := make([]string, 0, len(r.Reads)+1)
	paths = append(paths, o.instance.Binary)

	for _, read := range r.Reads {
		paths = append(paths, read.Path)
	}

	o.fingerprint = takeFingerprint(root, paths, began)
	o.contents = readContents(&o.fingerprint, began)
}

func bindText(b sandbox.Bind) string {
	if b.Path != "" {
		return "unix:" + b.Path
	}

	return b.Network + " " + b.Address.String()
}

// notTested is the verdict where there was no test.
func notTested(err error) verdict {
	state := StateNotTested
	if _, refused := errors.AsType[*sandbox.UnsafeError](err); refused {
		state = StateUnsafeRefused
	}

	return verdict{state: state, sentence: err.Error(), passing: true}
}
