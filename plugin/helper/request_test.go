package helper

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx"
)

var edge = nginx.ID("edge")

func TestARequestIsUnderstoodAsItWasMeant(t *testing.T) {
	t.Parallel()

	for target, want := range map[string]Request{
		"/v1/status":                        {Verb: VerbStatus},
		"/v1/slabinfo":                      {Verb: VerbSlabinfo},
		"/v1/slab-kinds":                    {Verb: VerbSlabKinds},
		"/v1/oom":                           {Verb: VerbOOM},
		"/v1/nginx":                         {Verb: VerbNginx},
		"/v1/nginx-config":                  {Verb: VerbNginxConfig},
		"/v1/nginx-config?instance=" + edge: {Verb: VerbNginxConfig, Instance: edge},
		"/v1/nginx-config?wait_ms=60000":    {Verb: VerbNginxConfig, Wait: time.Minute},
		"/v1/nginx-config?instance=" + edge + "&wait_ms=1": {Verb: VerbNginxConfig, Instance: edge, Wait: time.Millisecond},
		"/v1/listeners":            {Verb: VerbListeners},
		"/v1/listeners?port=1":     {Verb: VerbListeners, Port: 1},
		"/v1/listeners?port=65535": {Verb: VerbListeners, Port: 65535},
	} {
		require.Equal(t, target, want.Target())

		got, err := ParseRequest(http.MethodGet, target)
		require.NoError(t, err, target)
		require.Equal(t, want, got)
	}
}

// hostile are targets that no plugin sends.
var hostile = []string{
	"", "/", "*", "?", "//", "/v1", "/v1/", "/v1//status", "//v1/status", "/v1/status/", "/v1/../v1/status", "/v1/./status", "/v2/status", "/V1/status", "v1/status",
	"http://helper/v1/status", "helper:80", "/v1/STATUS", "/v1/stat%75s", "/v1/status%00", "/v1/status\x00", "/v1/status ", " /v1/status", "/v1/status\n", "/v1/status;x", "/v1/status#x",
	"/v1/../../etc/shadow", "/v1/%2e%2e/%2e%2e/etc/shadow", "/etc/shadow", "/v1/slabinfo/../../proc/kcore", "/v1/slabinfo?", "/v1/slabinfo?x", "/v1/slabinfo?port=80",
	"/v1/slabinfo?path=/etc/shadow", "/v1/ѕlabinfo", "/v1/slabinfo\u202e", "/v1/exec?cmd=id", "/v1/" + strings.Repeat("x", 200), "/v1/slabinfo?" + strings.Repeat("x=y&", 50),
	"/v1/listeners?port=", "/v1/listeners?port", "/v1/listeners?port=0", "/v1/listeners?port=00", "/v1/listeners?port=080", "/v1/listeners?port=+80", "/v1/listeners?port=%2B80",
	"/v1/listeners?port=-80", "/v1/listeners?port=0x50", "/v1/listeners?port=0b1", "/v1/listeners?port=8_0", "/v1/listeners?port=8e1", "/v1/listeners?port=80.0", "/v1/listeners?port=80%00",
	"/v1/listeners?port=80\x00", "/v1/listeners?port=%38%30", "/v1/listeners?port=８０", "/v1/listeners?port=٨٠", "/v1/listeners?port=65536", "/v1/listeners?port=4294967376",
	"/v1/listeners?port=18446744073709551696", "/v1/listeners?port=80&port=80", "/v1/listeners?port=80&port=81", "/v1/listeners?port=80&", "/v1/listeners?&port=80", "/v1/listeners?port=80&x=1",
	"/v1/listeners?Port=80", "/v1/listeners?p%6Frt=80", "/v1/listeners?port=80;port=81", "/v1/listeners?port=80%0d%0aX:%20y", "/v1/listeners?port=80\r\nX: y", "/v1/listeners?port=80?port=81",
	"/v1/listeners?port==80", "/v1/listeners?port=80#81", "/v1/listeners?port= 80", "/v1/listeners?port=80 ", "/v1/listeners?port=80,81", "/v1/listeners?port=$(id)", "/v1/listeners?port=`id`",
	"/v1/nginx-config?instance=", "/v1/nginx-config?instance=edge", "/v1/nginx-config?instance=../../../etc/nginx", "/v1/nginx-config?instance=%2e%2e%2f", "/v1/nginx-config?instance=/etc/nginx/nginx.conf",
	"/v1/nginx-config?instance=" + strings.ToUpper("abcdef0123456789"), "/v1/nginx-config?instance=abcdef012345678", "/v1/nginx-config?instance=abcdef01234567890", "/v1/nginx-config?instance=abcdef012345678%39",
	"/v1/nginx-config?instance=abcdef0123456789%0a", "/v1/nginx-config?instance=abcdef0123456789\n", "/v1/nginx-config?instance=*", "/v1/nginx-config?instance=%00", "/v1/nginx-config?instance=" + strings.Repeat("a", 100),
	"/v1/nginx-config?wait_ms=0", "/v1/nginx-config?wait_ms=60001", "/v1/nginx-config?wait_ms=-1", "/v1/nginx-config?wait_ms=1s", "/v1/nginx-config?wait_ms=01", "/v1/nginx-config?wait_ms=1.5",
	"/v1/nginx-config?wait_ms=9223372036854775807", "/v1/nginx-config?wait_ms=1&instance=" + edge, "/v1/nginx-config?instance=" + edge + "&instance=" + edge, "/v1/nginx-config?instance=" + edge + ";wait_ms=1",
	"/v1/nginx-config?config=/tmp/nginx.conf", "/v1/nginx-config?binary=/tmp/nginx&instance=" + edge, "/v1/nginx-config?%69nstance=" + edge,
}

func TestWhatNoPluginSendsIsRefused(t *testing.T) {
	t.Parallel()

	for _, target := range hostile {
		_, err := ParseRequest(http.MethodGet, target)
		require.Error(t, err, "%q", target)
		require.True(t, errors.Is(err, ErrMalformed) || errors.Is(err, ErrUnknownVerb), "%q: %v", target, err)
		require.NotContains(t, err.Error(), "\n")
		require.Less(t, len(err.Error()), 4*maxTarget)
	}

	for _, method := range []string{"", "get", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "GET "} {
		_, err := ParseRequest(method, "/v1/status")
		require.ErrorIs(t, err, ErrMalformed, method)
	}
}

func TestARefusalTellsWhatIsTaken(t *testing.T) {
	t.Parallel()

	for target, want := range map[string]string{
		"/v1/slaves":                                  `cannot do "/v1/slaves": there is no such verb in this version`,
		"/v1/" + strings.Repeat("x", 200):             "not a request of this interface: it is longer than 128 bytes",
		"/v1/oom?x=1":                                 "not a request of this interface: oom takes no parameters",
		"/v1/listeners?port=80&port=80":               "not a request of this interface: listeners takes port, each once, in this order",
		"/v1/listeners?port=65536":                    "not a request of this interface: port is not what it takes",
		"/v1/listeners?port=%zz":                      "not a request of this interface: its parameters cannot be read",
		"/v1/nginx-config?wait_ms=1&instance=" + edge: "not a request of this interface: nginx-config takes instance, wait_ms, each once, in this order",
	} {
		_, err := ParseRequest(http.MethodGet, target)
		require.EqualError(t, err, want)
	}

	_, err := ParseRequest(http.MethodPost, "/v1/oom")
	require.EqualError(t, err, "not a request of this interface: only GET is taken")
}

func TestEachVerbHasADescriptionAndALimit(t *testing.T) {
	t.Parallel()

	for _, info := range Verbs() {
		require.NotEmpty(t, info.Description, info.Verb)
		require.Positive(t, info.Limit, info.Verb)

		found, ok := info.Verb.Info()
		require.True(t, ok)
		require.Equal(t, info, found)
	}

	_, ok := Verb("").Info()
	require.False(t, ok)
}

// FuzzParseRequest wants each request that is taken to be written in the one form, to hold nothing but numbers and a digest, and to be of the
// parameters that its verb has.
func FuzzParseRequest(f *testing.F) {
	for _, target := range hostile {
		f.Add(http.MethodGet, target)
	}

	for _, info := range Verbs() {
		f.Add(http.MethodGet, Request{Verb: info.Verb, Port: 80, Instance: edge, Wait: time.Second}.Target())
	}

	f.Add(http.MethodPost, "/v1/status")

	f.Fuzz(func(t *testing.T, method, target string) {
		r, err := ParseRequest(method, target)
		if err != nil {
			require.True(t, errors.Is(err, ErrMalformed) || errors.Is(err, ErrUnknownVerb))
			require.Empty(t, r)

			return
		}

		require.Equal(t, http.MethodGet, method)
		require.Equal(t, target, r.Target())
		require.Regexp(t, `^(|[0-9a-f]{16})$`, r.Instance)
		require.LessOrEqual(t, r.Wait, maxWaitMS*time.Millisecond)

		again, err := ParseRequest(method, r.Target())
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}
