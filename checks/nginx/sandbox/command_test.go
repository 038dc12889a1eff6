package sandbox

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestACommandTakesOnlyWhatDescribesAConfiguration(t *testing.T) {
	for _, c := range []struct {
		name    string
		command Command
		err     string
	}{
		{"all options", Command{Binary: "/x", Args: []string{"-c", "/c", "-p/p", "-g", "daemon off;", "-e", "stderr"}}, ""},
		{"a relative program", Command{Binary: "nginx"}, `cannot test with "nginx": it is no absolute path; name the nginx program`},
		{"a signal", Command{Binary: "/x", Args: []string{"-s", "stop"}}, `cannot test with the option "-s": a test takes only -c, -p, -g, -e`},
		{"a dump", Command{Binary: "/x", Args: []string{"-T"}}, `cannot test with the option "-T": a test takes only -c, -p, -g, -e`},
		{"a value alone", Command{Binary: "/x", Args: []string{"x"}}, `cannot test with the option "x": a test takes only -c, -p, -g, -e`},
		{"an option that starts like one", Command{Binary: "/x", Args: []string{"-tc", "/c"}}, `cannot test with the option "-tc": a test takes only -c, -p, -g, -e`},
		{"an option without its value", Command{Binary: "/x", Args: []string{"-c"}}, `cannot test with the option "-c": its value is missing`},
		{"a zero byte", Command{Binary: "/x\x00"}, "cannot test with an option that holds a zero byte"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.command.check()
			if c.err == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.err)
		})
	}
}

func TestAProgramThatCannotRunIsTold(t *testing.T) {
	both(t, func(t *testing.T, technique Technique) {
		missing := filepath.Join(t.TempDir(), "none")
		s := only(technique)
		_, err := s.Test(context.Background(), Command{Binary: missing})
		require.EqualError(t, err, "cannot run "+missing+": no such file or directory; check that the file is an executable of this machine")
		require.True(t, s.Techniques()[0].Works, "it is not the technique's fault")
	})
}

func TestAnOrdinaryTestNeedsToBeKnownAsHarmless(t *testing.T) {
	known := BareConditions{Version: "1.22.1", AddressesHeld: true, UserUnchanged: true}
	with := func(change func(*BareConditions)) *BareConditions {
		c := known
		change(&c)
		return &c
	}
	for _, c := range []struct {
		name       string
		conditions *BareConditions
		refusal    string
	}{
		{"nothing known", nil, "nothing is known of its effects"},
		{"all known", &known, ""},
		{"no version", with(func(c *BareConditions) { c.Version = "" }), `the version "" is unknown`},
		{"a strange version", with(func(c *BareConditions) { c.Version = "1.x.2" }), `the version "1.x.2" is unknown`},
		{"1.13.0", with(func(c *BareConditions) { c.Version = "1.13.0" }), "nginx 1.13.0 takes clients' connections when it tests reuseport"},
		{"1.12.1", with(func(c *BareConditions) { c.Version = "1.12.1" }), "nginx 1.12.1 takes clients' connections when it tests reuseport"},
		{"1.12.2", with(func(c *BareConditions) { c.Version = "1.12.2" }), ""},
		{"1.13.4", with(func(c *BareConditions) { c.Version = "1.13.4" }), ""},
		{"1.21.0 with UDP", with(func(c *BareConditions) { c.Version, c.UDP = "1.21.0", true }), "nginx 1.21.0 takes clients' datagrams when it tests a UDP listener"},
		{"1.21.1 with UDP", with(func(c *BareConditions) { c.Version, c.UDP = "1.21.1", true }), ""},
		{"a free address", with(func(c *BareConditions) { c.AddressesHeld = false }), "it would open ports that nobody listens on"},
		{"another user", with(func(c *BareConditions) { c.UserUnchanged = false }), "it would change the owner of directories in use"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.refusal, c.conditions.refusal()) })
	}
}
