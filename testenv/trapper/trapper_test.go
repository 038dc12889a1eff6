package trapper

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/packet"
)

func serve(t *testing.T, answer string) (string, <-chan string) {
	return packet.ServeOnce(t, packet.Of([]byte(answer)))
}

const success = `{"response":"success","info":"processed: 1; failed: 2; total: 3; seconds spent: 0.000055"}`

func TestValuesAreSentAsASenderAndAsAnAgent(t *testing.T) {
	at := time.Unix(1700000000, 5)
	address, asked := serve(t, success)
	result, err := New(address).Send(Value{Host: "web1", Key: "k[a]", Value: "1", At: at})
	require.NoError(t, err)
	require.Equal(t, Result{Processed: 1, Failed: 2}, result)
	require.Regexp(t, `^\{"request":"sender data","data":\[\{"host":"web1","key":"k\[a\]","value":"1","clock":1700000000,"ns":5\}\],"clock":\d+,"ns":\d+\}$`, <-asked)

	address, asked = serve(t, success)
	client := New(address)
	_, err = client.SendAgent(Value{Host: "web1", Key: "k", Value: "Cannot read.", Unsupported: true, At: at}, Value{Host: "web1", Key: "l", Value: "2", At: at})
	require.NoError(t, err)
	require.Regexp(t, `^\{"request":"agent data","session":"[0-9a-f]{32}","data":\[`+
		`\{"host":"web1","key":"k","value":"Cannot read.","state":1,"id":1,"clock":1700000000,"ns":5\},`+
		`\{"host":"web1","key":"l","value":"2","id":2,"clock":1700000000,"ns":5\}\],"clock":\d+,"ns":\d+\}$`, <-asked)
}

func TestRefusalsAndGarbageAreErrors(t *testing.T) {
	for name, test := range map[string]struct{ answer, err string }{
		"a refusal":          {`{"response":"failed","info":"host [web1] not found"}`, ": it says failed: host [web1] not found; mend that"},
		"another protocol":   {`pong`, "; check that it is a Zabbix server or proxy"},
		"an unknown summary": {`{"response":"success","info":"well done"}`, `it says: "well done"`},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := serve(t, test.answer)
			_, err := New(address).Send(Value{Host: "web1", Key: "k", Value: "1"})
			require.ErrorContains(t, err, test.err)
		})
	}
	_, err := New("127.0.0.1:1").Send(Value{})
	require.EqualError(t, err, "cannot reach the Zabbix server or proxy at 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused; check that it runs")
}

func TestActiveItems(t *testing.T) {
	address, asked := serve(t, `{"response":"success","data":[{"key":"a","delay":60},{"key":"b[1]","key_orig":"b[{$N}]","delay":60}]}`)
	items, err := New(address).ActiveItems("web1")
	require.NoError(t, err)
	require.Equal(t, []Item{{Key: "a", SendAs: "a"}, {Key: "b[1]", SendAs: "b[{$N}]"}}, items)
	require.JSONEq(t, `{"request":"active checks","host":"web1"}`, <-asked)
}
