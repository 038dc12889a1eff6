package sandbox

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox/seccomp"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

func TestTheVerdictIsThatOfAnOrdinaryTest(t *testing.T) {
	if isInside() {
		compare(t)
		return
	}
	circumstances := []circumstance{{name: "here"}, {name: "with one processor", environment: []string{"GOMAXPROCS=1"}}}
	noSockets := seccomp.Rule{Number: unix.SYS_PIDFD_GETFD, Action: seccomp.Errno(unix.EPERM)}
	circumstances = append(circumstances, circumstance{name: "without a look at sockets", denied: []seccomp.Rule{noSockets}})
	if os.Geteuid() == 0 {
		circumstances = append(circumstances,
			circumstance{name: "as an ordinary user", uid: ordinaryUser}, circumstance{name: "with Docker's capabilities", capabilities: docker},
			circumstance{name: "as a user whose nginx may take low ports", uid: ordinaryUser, lowPorts: true},
			circumstance{name: "as the root helper", helper: true})
	}
	for _, suite := range nginx.Suites() {
		if suite != nginx.Bookworm {
			circumstances = append(circumstances, circumstance{name: "with the nginx of " + string(suite), suite: suite})
			if os.Geteuid() == 0 {
				circumstances = append(circumstances, circumstance{name: "as the root helper with the nginx of " + string(suite), suite: suite, helper: true})
			}
		}
	}
	for _, c := range circumstances {
		t.Run(c.name, func(t *testing.T) { c.again(t, "TestTheVerdictIsThatOfAnOrdinaryTest") })
	}
}

func compare(t *testing.T) {
	for _, technique := range []Technique{TechniqueNotify, TechniqueTrace} {
		t.Run(technique.String(), func(t *testing.T) {
			for _, c := range slices.Concat(measuredCases(), furtherCases()) {
				t.Run(c.name, func(t *testing.T) { c.compare(t, technique) })
			}
		})
	}
}

func (c verdictCase) compare(t *testing.T, technique Technique) {
	p := newPrefix(t)
	p.configure(t, stream(t, c.main), c.http)
	if c.arrange != nil {
		c.arrange(t, p)
	}
	result := p.test(t, technique)
	ordinary := p.ordinary(t)
	require.Equal(t, ordinary, saidOf(result))
	require.Empty(t, result.Refusals)
	if os.Getenv(otherWordsVariable) != "" {
		return
	}
	says := c.says
	if os.Geteuid() == 0 && c.root != "" {
		says = c.root
	}
	if os.Geteuid() != 0 && c.user != "" {
		says = c.user
	}
	require.Contains(t, ordinary.output, strings.ReplaceAll(says, "{dir}", p.dir))
}

// nginx overflows its stack, or runs out of descriptors before that.
func TestAFileThatIncludesItselfEndsAsAnOrdinaryTestDoes(t *testing.T) {
	p := newPrefix(t)
	p.configure(t, "", "include {dir}/loop.conf;")
	p.write(t, "loop.conf", "include {dir}/loop.conf;")
	result := p.test(t, TechniqueNotify)
	require.Equal(t, p.ordinary(t), saidOf(result))
	require.NotZero(t, result.ExitCode)
	require.Equal(t, result.ExitCode == -1, result.Signal == "SIGSEGV")
}

// stream loads the module where {stream} stands.
func stream(t *testing.T, main string) string {
	t.Helper()
	if !strings.Contains(main, "{stream}") {
		return main
	}
	modules := os.Getenv(modulesVariable)
	if modules == "" {
		build, err := nginx.InstallSuite(nginx.Bookworm)
		require.NoError(t, err)
		modules = build.Modules
	}
	return strings.ReplaceAll(main, "{stream}", "load_module "+modules+"/ngx_stream_module.so;\n")
}
