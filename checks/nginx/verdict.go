package nginx

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/nginx/conf"
	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/nginx/message"
	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
)

// verdict is what a test found.
type verdict struct {
	state            State
	sentence         string
	errors, warnings []Message
	omitted          int
	// passing says that the next test may find something else though no file has changed.
	passing bool
}

// onlyForRoot is what nginx says of the user directive to an ordinary user, in whose place root would start it.
const onlyForRoot = `the "user" directive makes sense only if the master process runs with super-user privileges`

// judge understands what nginx said. For a blind test, such as an ordinary user's of root's nginx, a file that only root may read
// says nothing about the configuration.
func judge(i *instance.Instance, r *sandbox.Result, blind bool) verdict {
	if r.TimedOut {
		return verdict{
			state: StateTimedOut, passing: true,
			sentence: fmt.Sprintf("the test did not end within %.0f s; names that do not resolve take 10 s each, else raise NginxTimeout", r.DurationS),
		}
	}

	said, err := message.Parse(bytes.NewReader(r.Output))
	if err != nil {
		return verdict{state: StateNotTested, passing: true, sentence: "cannot read what the test printed: " + err.Error()}
	}

	if blind {
		said.Warnings = slices.DeleteFunc(said.Warnings, func(m message.Message) bool { return strings.HasPrefix(m.Text, onlyForRoot) })
	}

	v := verdict{errors: messages(said.Errors), warnings: messages(said.Warnings), omitted: said.Omitted}

	if r.ExitCode == 0 && said.Verdict == message.VerdictSuccessful {
		if len(v.warnings) > 0 {
			v.state, v.sentence = StateValidWithWarnings, sentenceOf(&said.Warnings[0])
		}

		return v
	}

	reason := said.Reason()

	switch {
	case reason == nil || said.Verdict == message.VerdictNone && len(said.Errors) == 0:
		v.state, v.passing = StateNotTested, true
		v.sentence = fmt.Sprintf("%s gave no verdict (%s): it may be no nginx, or was ended; see the end of its output", i.Binary, endOf(r))
	case reason.Cause == message.CauseDescriptors && r.NoFile < serviceFiles(i):
		v.state, v.passing = StateNotTested, true
		v.sentence = fmt.Sprintf("%s; the test could open %d files and the service may open more: raise the limit of what tests (LimitNOFILE=), or give it CAP_SYS_RESOURCE", sentenceOf(reason), r.NoFile)
	case blind && reason.Cause == message.CausePermission:
		v.state = StateNotTested
		v.sentence = sentenceOf(reason) + "; only root can tell more"
	case reason.Cause.Environment():
		v.state, v.sentence, v.passing = StateEnvironment, sentenceOf(reason), true
	default:
		v.state, v.sentence = StateInvalid, sentenceOf(reason)
	}

	return v
}

// serviceFiles is how many files the service may open, as far as it is known.
func serviceFiles(i *instance.Instance) uint64 {
	if i.Master == nil || i.Master.OpenFiles == 0 {
		return minOpenFiles
	}

	return i.Master.OpenFiles
}

func endOf(r *sandbox.Result) string {
	if r.Signal != "" {
		return "ended by " + r.Signal
	}

	return fmt.Sprintf("exit status %d", r.ExitCode)
}

func messages(said []message.Message) []Message {
	all := make([]Message, len(said))
	for i, m := range said {
		all[i] = Message{Level: m.Level.String(), Text: m.Text, File: m.File, Line: m.Line}
	}

	return all
}

// sentenceOf names the place as nginx does.
func sentenceOf(m *message.Message) string {
	switch {
	case m.File == "":
		return m.Text
	case m.Line == 0:
		return m.Text + " in " + m.File
	default:
		return fmt.Sprintf("%s in %s:%d", m.Text, m.File, m.Line)
	}
}

// outOfReach tells why an instance cannot be tested from here; the second result is false where nothing stands against it.
func outOfReach(i *instance.Instance) (verdict, bool) {
	master := i.Master

	switch {
	case master == nil || i.Configured && !master.Root.Differs:
	case i.Build == nil:
		return verdict{state: StateNotTested, sentence: i.Binary + " does not say that it is an nginx: " + i.BuildError}, true
	case master.Root.Differs:
		return verdict{state: StateNotTested, sentence: "it runs in another root directory (" + master.Unit + "): run this plugin in there to test it"}, true
	case !master.Trusted():
		return verdict{state: StateUnsafeRefused, sentence: fmt.Sprintf("it runs as user %s, who may say that it is nginx and which modules it loads: "+
			"name it with Plugins.Hosting.Nginx.<name>.* if you trust it", cmp.Or(master.User, strconv.Itoa(master.UID)))}, true
	case master.ArgumentsCut:
		return verdict{state: StateNotTested, sentence: "its command line is too long to be seen whole: name it with Plugins.Hosting.Nginx.<name>.*"}, true
	}

	return verdict{}, false
}

// refusal passes: what mends it, chown or chmod of a directory, changes no file that is watched.
func refusal(sentence string) verdict {
	return verdict{state: StateUnsafeRefused, sentence: sentence, passing: true}
}

// unsafeToRun tells why a test could run what somebody else wrote: nginx runs the modules and scripts that its files name.
func unsafeToRun(i *instance.Instance, read *conf.Result) (verdict, bool) {
	for _, path := range slices.Concat([]string{i.Binary, i.Config}, read.Modules, read.Scripts, read.Files) {
		if err := instance.SafeToRun(path); errors.Is(err, instance.ErrUnsafe) {
			return refusal(err.Error()), true
		}
	}

	for _, path := range read.Directories {
		if err := instance.SafeDirectory(path); errors.Is(err, instance.ErrUnsafe) {
			return refusal(err.Error()), true
		}
	}

	if read.Incomplete {
		return refusal("it has more files than can be looked at before they are run"), true
	}

	return verdict{}, false
}
