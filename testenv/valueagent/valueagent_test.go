package valueagent

import (
	"encoding/json"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/packet"
	"zabbix-agent2-plugin-hosting/testenv/passive"
)

func TestBothKindsOfServersGetTheValuesThatAreSet(t *testing.T) {
	a := StartT(t)
	client := passive.Client{Address: a.Address()}
	for name, ask := range map[string]func(string) (string, error){
		"a bare key": client.Get,
		"JSON":       func(key string) (string, error) { return client.GetTimeout(key, 3) },
	} {
		t.Run(name, func(t *testing.T) {
			a.Set("site.get[shop]", `{"requests":1}`)
			value, err := ask(`site.get["shop"]`)
			require.NoError(t, err)
			require.Equal(t, `{"requests":1}`, value)

			a.SetUnsupported(`site.get["shop"]`, "Cannot read.")
			_, err = ask("site.get[shop]")
			require.EqualError(t, err, "cannot get a value, the agent says: Cannot read.")

			a.Forget("site.get[shop]")
			_, err = ask("site.get[shop]")
			require.EqualError(t, err, "cannot get a value, the agent says: Unknown metric site.get[shop]")
		})
	}
	require.Equal(t, 6, a.Asked("site.get[shop]"))
	require.Zero(t, a.Asked("site.get[blog]"))
}

func TestAnAgentVanishesAndAppearsAtTheSameAddress(t *testing.T) {
	a := StartT(t)
	a.Set("k", "1")
	client := passive.Client{Address: a.Address()}
	require.NoError(t, a.Vanish())
	require.NoError(t, a.Vanish())
	_, err := client.Get("k")
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NoError(t, a.Appear())
	require.NoError(t, a.Appear())
	value, err := client.Get("k")
	require.NoError(t, err)
	require.Equal(t, "1", value)
}

func TestWhatIsNoRequestIsToldAtTheEnd(t *testing.T) {
	a, err := Start()
	require.NoError(t, err)
	conn, err := net.Dial("tcp4", a.Address())
	require.NoError(t, err)
	require.NoError(t, packet.Write(conn, []byte(`{"request":"active checks"}`)))
	_, err = packet.Read(conn, 100)
	require.ErrorIs(t, err, packet.ErrNoData)
	require.NoError(t, conn.Close())
	require.ErrorContains(t, a.Stop(), `cannot answer "{\"request\":\"active checks\"}": it is no passive check`)
	require.NoError(t, a.Stop())
}

// collector is a server that gives one key to active agents and tells what they send.
func collector(t *testing.T) (address string, sent <-chan string) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	values := make(chan string, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			request, err := packet.Read(conn, 1<<20)
			var whole struct {
				Request, Host string
				Data          []struct{ Host, Key, Value string }
			}
			if err == nil && json.Unmarshal(request, &whole) == nil {
				answer := `{"response":"success","data":[{"key":"k[a]","key_orig":"k[{$A}]","delay":60,"lastlogsize":0,"mtime":0}]}`
				if whole.Request == "agent data" {
					answer = `{"response":"success","info":"processed: 1; failed: 0; total: 1; seconds spent: 0.000030"}`
					values <- whole.Data[0].Host + " " + whole.Data[0].Key + " " + whole.Data[0].Value
				}
				_ = packet.Write(conn, []byte(answer))
			}
			_ = conn.Close()
		}
	}()
	return listener.Addr().String(), values
}

func TestActiveValuesAreSentUntilTheAgentVanishes(t *testing.T) {
	a := StartT(t)
	a.Set("k[a]", "7")
	address, sent := collector(t)
	a.StartActive(address, "web1")
	for range 2 {
		select {
		case value := <-sent:
			require.Equal(t, "web1 k[{$A}] 7", value)
		case <-time.After(10 * time.Second):
			t.Fatal("nothing was sent")
		}
	}
	require.NoError(t, a.Vanish())
	before := a.Asked("k[a]")
	time.Sleep(2 * activeInterval)
	require.LessOrEqual(t, a.Asked("k[a]"), before+1)
}
