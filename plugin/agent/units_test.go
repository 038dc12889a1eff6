package agent

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.zabbix.com/sdk/plugin"
	"golang.zabbix.com/sdk/plugin/comms"
)

func globalTimeout(seconds int) plugin.GlobalOptions { return plugin.GlobalOptions{Timeout: seconds} }

func TestEachLayerAnswersBeforeTheNextGivesUp(t *testing.T) {
	t.Parallel()

	seconds := func(n int) *int { return &n }

	tests := map[string]struct {
		timeoutS *int
		global   plugin.GlobalOptions
		agent    time.Duration // when the agent gives up
	}{
		"7.0 waits half a second longer than it says":       {timeoutS: seconds(3), agent: 3500 * time.Millisecond},
		"7.0 with the shortest timeout":                     {timeoutS: seconds(1), agent: 1500 * time.Millisecond},
		"7.0 with the longest timeout":                      {timeoutS: seconds(600), agent: 600500 * time.Millisecond},
		"6.0 waits its own Timeout":                         {global: globalTimeout(4), agent: 4 * time.Second},
		"6.0 with the shortest Timeout":                     {global: globalTimeout(1), agent: time.Second},
		"6.0 before Configure has the agent's default":      {agent: 3 * time.Second},
		"a timeout of zero is none, and the default counts": {timeoutS: seconds(0), agent: 3 * time.Second},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			limits := newDeadlines(test.timeoutS, test.global)
			require.Less(t, test.agent/2, limits.handler)
			require.Less(t, limits.handler, limits.worker)
			require.Less(t, limits.worker, limits.link)
			require.Less(t, limits.link+40*time.Millisecond, test.agent)
		})
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()

	t.Run("a worker that dies at each start is started ever more seldom", func(t *testing.T) {
		t.Parallel()

		var (
			b     backoff
			total time.Duration
		)

		for range 20 {
			total += b.next(10*time.Millisecond, false)
		}

		require.Greater(t, total, 4*time.Minute)
		require.Equal(t, maxDelayNotReady, b.next(0, false))
	})

	t.Run("a worker that worked is replaced within 300 ms however often it dies", func(t *testing.T) {
		t.Parallel()

		var b backoff
		for range 200 {
			require.LessOrEqual(t, b.next(200*time.Millisecond, true), maxDelayReady)
		}
	})

	// A kill that met the worker at its start, the last of a hundred, kept the plugin from answering for 30 s.
	t.Run("a death at the start after many that worked is not held against the next", func(t *testing.T) {
		t.Parallel()

		var b backoff
		for range 100 {
			b.next(200*time.Millisecond, true)
		}

		require.Equal(t, firstDelay, b.next(time.Millisecond, false))
	})

	t.Run("a long life is forgiven", func(t *testing.T) {
		t.Parallel()

		b := backoff{deaths: 12}
		require.Equal(t, firstDelay, b.next(longLife, true))
	})
}

func TestRoleOf(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		args []string
		want role
	}{
		"an agent registers the plugin":           {[]string{"p", "/run/zabbix/agent.plugin.sock", "true"}, roleRegistration},
		"an agent starts the plugin":              {[]string{"p", "/run/zabbix/agent.plugin.sock", "false"}, roleLink},
		"a link starts a worker":                  {[]string{"p", "--worker"}, roleWorker},
		"a person gives no argument":              {[]string{"p"}, roleCommand},
		"a person asks for a key called true":     {[]string{"p", "get", "true"}, roleCommand},
		"a person passes a path":                  {[]string{"p", "/tmp/x"}, roleCommand},
		"a person passes a path and another word": {[]string{"p", "/tmp/x", "yes"}, roleCommand},
		"a person passes more arguments":          {[]string{"p", "/tmp/x", "true", "x"}, roleCommand},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, test.want, roleOf(test.args))
		})
	}
}

func TestAgentLog(t *testing.T) {
	t.Parallel()

	newLog := func() (*agentLog, *[]comms.LogRequest, *time.Time) {
		var sent []comms.LogRequest

		now := time.Unix(1000, 0)
		l := newAgentLog(func(f frame) error {
			var message comms.LogRequest
			if err := json.Unmarshal(f.payload(), &message); err != nil {
				return err
			}

			sent = append(sent, message)

			return nil
		})
		l.now = func() time.Time { return now }
		l.last = now

		return l, &sent, &now
	}

	message := func(severity uint32, text string) comms.LogRequest {
		return comms.LogRequest{Common: comms.Common{Type: comms.LogRequestType}, Severity: severity, Message: text}
	}

	t.Run("severities are those of the agent and a percent sign is doubled", func(t *testing.T) {
		t.Parallel()

		l, sent, _ := newLog()
		l.Infof("%d%% done", 100)
		l.Critf("a")
		l.Errf("b")
		l.Warningf("c")
		l.Debugf("d")
		l.Tracef("e")

		require.Equal(t, []comms.LogRequest{
			message(0, "100%% done"), message(1, "a"), message(2, "b"), message(3, "c"), message(4, "d"), message(5, "e"),
		}, *sent)
	})

	t.Run("a flood is cut, counted, and told with the next message that passes", func(t *testing.T) {
		t.Parallel()

		l, sent, now := newLog()
		for range logBurst + 37 {
			l.Errf("x")
		}

		require.Len(t, *sent, logBurst)

		*now = now.Add(time.Second)

		l.Errf("y")
		require.Equal(t,
			message(2, "y (37 messages before this one were dropped: more than 10 a second)"), (*sent)[logBurst])
	})

	t.Run("a long message is capped and says so", func(t *testing.T) {
		t.Parallel()

		l, sent, _ := newLog()
		l.Errf("%s", strings.Repeat("€", maxMessageBytes))
		require.Less(t, len((*sent)[0].Message), maxMessageBytes+40)
		require.Contains(t, (*sent)[0].Message, "(16384 more bytes)")
	})
}

func TestOutputKeepsHeadAndTail(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		printed []string
		want    string
	}{
		"nothing printed":        {want: "it printed nothing"},
		"short output is whole":  {printed: []string{"panic: x\n\ngoroutine 1:\n", "main()\n"}, want: "it printed: panic: x | goroutine 1: | main()"},
		"broken UTF-8 is marked": {printed: []string{"a\xffb"}, want: "it printed: a?b"},
		"of long output the middle is omitted and counted": {
			printed: []string{"first\n" + strings.Repeat("x", 10000) + "\nlast\n"},
			want: "it printed: first | " + strings.Repeat("x", outputHeadBytes-6) + " | (7012 bytes omitted) | " +
				strings.Repeat("x", outputTailBytes-6) + " | last",
		},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var o output
			o.drain(strings.NewReader(strings.Join(test.printed, "")))
			require.Equal(t, test.want, o.String())
		})
	}
}

func TestFileMappingsAreThoseThatHoldWhatTheFileHas(t *testing.T) {
	t.Parallel()

	const smaps = `00400000-00733000 r-xp 00000000 fe:00 131 /usr/bin/plugin
Size:               3276 kB
Rss:                2896 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
00733000-00b00000 r--p 00333000 fe:00 131 /usr/bin/plugin
Rss:                2716 kB
Anonymous:             0 kB
00b00000-00b10000 r--p 00700000 fe:00 131 /usr/bin/relocated
Anonymous:            64 kB
00b10000-00b20000 rw-p 00700000 fe:00 131 /usr/bin/plugin
Anonymous:             0 kB
c000000000-c000400000 rw-p 00000000 00:00 0
Anonymous:             0 kB
7f0000000000-7f0000001000 r-xp 00000000 00:00 0
Anonymous:             0 kB
7f0000002000-7f0000003000 r-xp 00000000 fe:00 132 /usr/lib/with a space.so (deleted)
Anonymous:             0 kB
7ffd1000-7ffd3000 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
nonsense
`

	require.Equal(t,
		[]mapping{{0x400000, 0x733000}, {0x733000, 0xb00000}, {0x7f0000002000, 0x7f0000003000}},
		fileMappings(strings.NewReader(smaps)))
}
