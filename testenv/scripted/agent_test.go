package scripted

import (
	"encoding/json"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/fakeplugin"
)

const patience = 10 * time.Second

func TestMain(m *testing.M) {
	fakeplugin.Main()
	os.Exit(m.Run())
}

func run(t *testing.T, d Dialect, registration bool) *Process {
	path, err := os.Executable()
	require.NoError(t, err)
	p, err := Run(d, path, registration)
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	return p
}

func TestAPluginRegistersAndEndsAtTerminateIn70(t *testing.T) {
	p := run(t, V70(), true)
	id, err := p.Register()
	require.NoError(t, err)
	answer, err := p.Answer(id, patience)
	require.NoError(t, err)
	require.Equal(t, Frame{ID: 1, Type: RegisterResponse, Name: "Hosting", Metrics: []string{"hosting.echo", "Answers its parameters."}, Interfaces: 1}, answer)
	require.NoError(t, p.Terminate())
	require.Zero(t, p.ExitCode())
	<-p.Closed()
	require.Empty(t, p.Output())
}

func TestAPluginOf60LingersAfterTerminateAndIsStopped(t *testing.T) {
	p := run(t, V60(), true)
	id, err := p.Register()
	require.NoError(t, err)
	_, err = p.Answer(id, patience)
	require.NoError(t, err)
	require.NoError(t, p.Terminate())
	select {
	case <-p.Exited():
		require.Fail(t, "the plugin did not linger")
	case <-time.After(50 * time.Millisecond):
	}
	p.Stop()
	require.Equal(t, -1, p.ExitCode())
}

func TestExportsAreAnsweredByTheirIds(t *testing.T) {
	p := run(t, V70(), false)
	good, err := p.Export(5, "hosting.echo", "a", "b c", "")
	require.NoError(t, err)
	bad, err := p.Export(5, "hosting.echo", "fail")
	require.NoError(t, err)
	answer, err := p.Answer(bad, patience)
	require.NoError(t, err)
	require.Equal(t, Frame{ID: 2, Type: ExportResponse, Error: "fail"}, answer)
	answer, err = p.Answer(good, patience)
	require.NoError(t, err)
	require.Equal(t, Frame{ID: 1, Type: ExportResponse, Value: json.RawMessage(`"a b c "`)}, answer)
	require.Len(t, p.Frames(), 2)
}

func TestThePluginsEndIsSeen(t *testing.T) {
	p := run(t, V70(), false)
	require.NoError(t, p.SendRaw(RawFrame(1, 3, []byte("{x}"))))
	require.Equal(t, 3, p.ExitCode())
	_, err := p.Answer(1, patience)
	require.EqualError(t, err, "cannot get that frame: the plugin closed the connection after 0 others: EOF; look into its log")
	require.Equal(t, "invalid character 'x' looking for beginning of object key string\n", p.Output())
}

func TestAProgramThatDoesNotConnectIsAnError(t *testing.T) {
	started := time.Now()
	_, err := Run(V70(), "/bin/false", false)
	require.ErrorContains(t, err, "cannot get a connection from the plugin")
	require.Less(t, time.Since(started), connectLimit)
	_, err = Run(V70(), "/nowhere", false)
	require.EqualError(t, err, "cannot start the plugin: fork/exec /nowhere: no such file or directory; build it first")
}

func TestDialects(t *testing.T) {
	options := []Option{{"Alpha", "on"}, {"Empty", ""}, {"Sessions.s1.Uri", "x"}, {"Sessions.s2.Uri", "y"}, {"Alpha", "off"}}
	alpha := `{"Name":"Alpha","Nodes":[{"Value":"b24=","Line":2},{"Value":"b2Zm","Line":6}],"Line":2}`
	sessions := `{"Name":"Sessions","Line":4,"Nodes":[
		{"Name":"s1","Line":4,"Nodes":[{"Name":"Uri","Nodes":[{"Value":"eA==","Line":4}],"Line":4}]},
		{"Name":"s2","Line":5,"Nodes":[{"Name":"Uri","Nodes":[{"Value":"eQ==","Line":5}],"Line":5}]}]}`
	system := `{"Name":"System","Line":7,"Nodes":[{"Name":"Path","Nodes":[{"Value":"L3BsdWdpbg==","Line":7}],"Line":7}]}`
	for name, test := range map[string]struct {
		dialect Dialect
		wire    []string
	}{
		"6.0 has no timeout, null values, the System node and terminates with id 0": {V60(), []string{
			`{"id":1,"type":2,"version":"6.0.13"}`,
			`{"id":2,"type":8,"global_options":{"Timeout":3,"SourceIP":""},"private_options":{"Name":"P","Line":1,"Nodes":[` +
				alpha + `,{"Name":"Empty","Nodes":[{"Value":null,"Line":3}],"Line":3},` + sessions + `,` + system + `]}}`,
			`{"id":3,"type":4}`,
			`{"id":4,"type":6,"key":"k"}`,
			`{"id":0,"type":5}`,
		}},
		"7.0 has timeouts, empty values and counts on for terminate": {V70(), []string{
			`{"id":1,"type":2,"version":"6.4.0"}`,
			`{"id":2,"type":8,"global_options":{"Timeout":3,"SourceIP":""},"private_options":{"Name":"P","Line":1,"Nodes":[` +
				alpha + `,{"Name":"Empty","Nodes":[{"Value":"","Line":3}],"Line":3},` + sessions + `]}}`,
			`{"id":3,"type":4}`,
			`{"id":4,"type":6,"key":"k","timeout":9}`,
			`{"id":5,"type":5}`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			wire := sent(t, test.dialect, func(a *Agent) {
				_, err := a.Register()
				require.NoError(t, err)
				_, err = a.Configure(3, "P", options...)
				require.NoError(t, err)
				_, err = a.Start()
				require.NoError(t, err)
				_, err = a.Export(9, "k")
				require.NoError(t, err)
				require.NoError(t, a.Terminate())
			})
			require.Len(t, wire, len(test.wire))
			for i, message := range wire {
				require.JSONEq(t, test.wire[i], message)
			}
		})
	}
}

// sent returns the messages that an agent sends over a pipe.
func sent(t *testing.T, d Dialect, script func(*Agent)) []string {
	agentEnd, pluginEnd := net.Pipe()
	messages := make(chan []string)
	go func() {
		var all []string
		for {
			header := make([]byte, 8)
			if _, err := pluginEnd.Read(header); err != nil {
				messages <- all
				return
			}
			data := make([]byte, int(header[4])|int(header[5])<<8)
			n, err := pluginEnd.Read(data)
			if err != nil {
				messages <- all
				return
			}
			all = append(all, string(data[:n]))
		}
	}()
	a := Attach(d, agentEnd)
	script(a)
	require.NoError(t, a.Close())
	<-a.Closed()
	return <-messages
}
