package nginx

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"zabbix-agent2-plugin-hosting/checks/nginx/conf"
	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
)

const maxListens = 100

// maxEnds is how often a master may end before its test has begun.
const maxEnds = 3

// test makes one test of the configuration of an instance. Where its master is restarted meanwhile, it is made among the new one's files.
func (m *Monitor) test(i instance.Instance) *outcome {
	for end := 1; ; end++ {
		o := m.testOnce(i)
		if !o.ended || end == maxEnds {
			return o
		}

		found, err := m.finder.Find(m.ctx)
		if err != nil {
			return o
		}

		at := slices.IndexFunc(found.Instances, func(now instance.Instance) bool { return now.Name == i.Name })
		if at < 0 {
			return o
		}

		i = found.Instances[at]
	}
}

func (m *Monitor) testOnce(i instance.Instance) *outcome {
	o := newOutcome(i)

	// Nothing of a container is opened: who is root in there could have us wait at a pipe.
	if v, refused := outOfReach(&i); refused {
		return o.without(v)
	}

	view, err := m.treeOf(&i).Open()
	if err != nil {
		return o.failed(err)
	}
	defer view.Close()

	var (
		read    *conf.Result
		v       verdict
		refused bool
	)

	err = view.Do(func() {
		read = conf.Walk(conf.Host(), i.Config, i.Prefix, m.directivesOf(&i))

		if v, refused = unsafeToRun(&i, read); refused {
			o.fingerprint = takeFingerprint(append(read.Files, i.Binary, i.Config), o.began)
		}
	})

	switch {
	case err != nil:
		return o.failed(err)
	case refused:
		o.facts = factsWithout(read)

		return o.without(v)
	}

	m.perform(o, &view)

	if o.test.Technique == int(sandbox.TechniqueNone) {
		o.facts = factsWithout(read)
	}

	return o
}

func newOutcome(i instance.Instance) *outcome {
	began := time.Now()

	return &outcome{instance: i, began: began, test: Test{At: began.Unix(), Listens: []string{}}, fingerprint: fingerprint{settled: true}}
}

// without is the outcome where there was no test.
func (o *outcome) without(v verdict) *outcome {
	o.verdict, o.endedAt = v, time.Now()

	return o
}

// failed is the outcome where a test failed before nginx said anything.
func (o *outcome) failed(err error) *outcome {
	o.ended = errors.Is(err, tree.ErrEnded)

	return o.without(notTested(err))
}

// perform makes the test that nothing stands against, of files that are seen by the view.
func (m *Monitor) perform(o *outcome, view *tree.View) {
	i := &o.instance
	command, blind := m.command(i)
	watch := m.watch(command.Namespaces)
	result, err := m.sandbox.Test(m.ctx, command)
	seen := watch.stop()
	o.endedAt = time.Now()

	var left []fileLeft

	unseen := view.Do(func() {
		if err != nil {
			o.fingerprint = takeFingerprint([]string{i.Binary, i.Config}, o.began)

			return
		}

		o.take(result)
		left = filesLeft(result.Writes, o.began)
	})

	if err = cmp.Or(err, unseen); err != nil {
		o.failed(err)

		return
	}

	o.verdict = judge(i, result, blind)
	// A change of a file that did not fit goes unnoticed.
	o.verdict.passing = o.verdict.passing || result.ReadsOmitted > 0
	o.sideEffects = m.sideEffects(i, result, seen, left)
	o.test.During = seen.during
}

// take keeps what the test said and read.
func (o *outcome) take(r *sandbox.Result) {
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

	o.fingerprint = takeFingerprint(paths, o.began)
	o.contents = readContents(&o.fingerprint, o.began)
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
