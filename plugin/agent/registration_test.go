package agent

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.zabbix.com/sdk/plugin/comms"

	"zabbix-agent2-plugin-hosting/testenv/scripted"
)

const exitPatience = 3 * time.Second

func requireExit(t *testing.T, p *scripted.Process, within time.Duration, status int) {
	t.Helper()

	select {
	case <-p.Exited():
		require.Equal(t, status, p.ExitCode(), "output: %s", p.Output())
		require.Empty(t, p.Output(), "an agent keeps all that a plugin prints in memory")
	case <-time.After(within):
		require.Fail(t, "the plugin did not exit", "within %s", within)
	}
}

func requireRunning(t *testing.T, p *scripted.Process, during time.Duration) {
	t.Helper()

	select {
	case <-p.Exited():
		require.Fail(t, "the plugin exited", "status %d, output: %s", p.ExitCode(), p.Output())
	case <-time.After(during):
	}
}

func dialects() map[string]scripted.Dialect {
	return map[string]scripted.Dialect{"agent 6.0": scripted.V60(), "agent 7.0": scripted.V70()}
}

func TestRegistration(t *testing.T) {
	t.Parallel()

	for name, dialect := range dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			p := run(t, dialect, true)

			id, err := p.Register()
			require.NoError(t, err)

			registered, err := p.Answer(id, answerPatience)
			require.NoError(t, err)
			require.Equal(t, scripted.Frame{
				ID: id, Type: scripted.RegisterResponse, Name: "Faulty", Metrics: faultyPlugin().Metrics, Interfaces: 7,
			}, registered)

			id, err = p.Validate("Faulty", scripted.Option{Name: "Empty", Value: ""})
			require.NoError(t, err)

			validated, err := p.Answer(id, answerPatience)
			require.NoError(t, err)
			require.Equal(t, scripted.Frame{ID: id, Type: scripted.ValidateResponse}, validated)

			require.NoError(t, p.Terminate())

			if dialect.TerminateZero {
				requireRunning(t, p, 500*time.Millisecond)

				return
			}

			requireExit(t, p, exitPatience, 0)
		})
	}
}

func TestValidationErrorNamesTheOption(t *testing.T) {
	t.Parallel()

	p := run(t, scripted.V70(), true)
	id, err := p.Validate("Faulty", scripted.Option{Name: "Forbidden", Value: "x"})
	require.NoError(t, err)

	validated, err := p.Answer(id, answerPatience)
	require.NoError(t, err)
	require.Equal(t, "cannot use option Plugins.Faulty.Forbidden: there is no such option", validated.Error)
}

func TestUnknownProtocolVersionIsServedWithAWarning(t *testing.T) {
	t.Parallel()

	later := scripted.V70()
	later.Version = "9.9.9"

	p := run(t, later, true)
	id, err := p.Send(scripted.RegisterRequest, map[string]any{"version": "9.9.9", "a_new_field": map[string]any{"x": 1}})
	require.NoError(t, err)

	registered, err := p.Answer(id, answerPatience)
	require.NoError(t, err)
	require.Equal(t, "Faulty", registered.Name)
	require.Contains(t, awaitLog(t, p, "9.9.9"), "which this plugin was not tested with")
}

func TestRegistrationEndsWithItsAgent(t *testing.T) {
	t.Parallel()

	t.Run("when the agent closes the connection", func(t *testing.T) {
		t.Parallel()

		p := run(t, scripted.V70(), true)
		require.NoError(t, p.Close())
		requireExit(t, p, exitPatience, exitFailed)
	})

	t.Run("but not of SIGTERM, which systemd sends to the whole group", func(t *testing.T) {
		t.Parallel()

		p := run(t, scripted.V70(), true)
		sendSignals(t, p.PID())

		id, err := p.Register()
		require.NoError(t, err)

		_, err = p.Answer(id, answerPatience)
		require.NoError(t, err)
	})
}

// An agent 7.0 that is not content with the registration waits for the plugin to exit, silently and for ever.
func TestRegistrationGivesUpOnASilentAgent(t *testing.T) {
	t.Parallel()

	ours, theirs := net.Pipe()
	r := newRegistration(theirs, faultyPlugin())
	r.patience = 100 * time.Millisecond
	ended := make(chan error, 1)

	go func() { ended <- r.run() }()

	request, err := newFrame(comms.RegisterRequest{
		Common: comms.Common{Id: 1, Type: comms.RegisterRequestType}, ProtocolVersion: "6.4.0",
	})
	require.NoError(t, err)

	_, err = ours.Write(request)
	require.NoError(t, err)

	_, err = readFrame(bufio.NewReader(ours))
	require.NoError(t, err)

	select {
	case err := <-ended:
		require.ErrorContains(t, err, "the agent sent nothing for 100ms; it did not accept the last answer")
	case <-time.After(exitPatience):
		require.Fail(t, "the registration did not give up")
	}
}

func TestPanicInValidationIsAnAnswer(t *testing.T) {
	t.Parallel()

	p := faultyPlugin()
	p.Validate = func([]byte) error { panic("deliberate") }

	var written bytes.Buffer

	ours, theirs := net.Pipe()
	r := newRegistration(theirs, p)

	go r.handle(jsonFrame(`{"id":4,"type":9,"private_options":null}`))

	f, err := readFrame(bufio.NewReader(ours))
	require.NoError(t, err)
	written.Write(f.payload())

	var response comms.ValidateResponse

	require.NoError(t, json.Unmarshal(written.Bytes(), &response))
	require.Equal(t, comms.ValidateResponse{
		Common: comms.Common{Id: 4, Type: comms.ValidateResponseType},
		Error:  "cannot validate the options: deliberate",
	}, response)
}
