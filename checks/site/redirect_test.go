package site

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	basicAuth = "Basic dTpzZWNyZXQ="
	token     = "Bearer secret"
)

// heard is what secrets a server was told, request by request.
type heard struct {
	mu      sync.Mutex
	secrets []string
}

func (h *heard) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()

	return h.secrets
}

// redirecting answers "/" with a redirect to where to says and all else with status 401 or, where it was told a secret, 200.
func redirecting(t *testing.T, start func(http.Handler) *httptest.Server, to func() string) (*httptest.Server, *heard) {
	t.Helper()

	h := &heard{}
	server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secret := strings.Join([]string{r.Header.Get("Authorization"), r.Header.Get("Proxy-Authorization"), r.Header.Get("Cookie")}, "|")

		h.mu.Lock()
		h.secrets = append(h.secrets, secret)
		h.mu.Unlock()

		switch {
		case r.URL.Path == "/":
			http.Redirect(w, r, to(), http.StatusFound)
		case secret == "||":
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(server.Close)

	return server, h
}

// A redirect from https to http, or to another port, was sent the user and password.
func TestSecretsStayWithTheirSchemeHostAndPort(t *testing.T) {
	t.Parallel()

	plain := func(h http.Handler) *httptest.Server { return httptest.NewServer(h) }
	encrypted := func(h http.Handler) *httptest.Server { return httptest.NewTLSServer(h) }

	for name, c := range map[string]struct {
		from, to func(http.Handler) *httptest.Server
		path     string
	}{
		"from http to another port":         {plain, plain, "/page"},
		"from https to http":                {encrypted, plain, "/page"},
		"from http to https":                {plain, encrypted, "/page"},
		"from https to another port":        {encrypted, encrypted, "/page"},
		"to another port and then far away": {plain, plain, "/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var home, other *httptest.Server

			other, atOther := redirecting(t, c.to, func() string { return home.URL + "/page" })
			home, atHome := redirecting(t, c.from, func() string { return other.URL + c.path })
			target := withSecrets(t, home.URL, "u:secret@")

			result := NewProber(target).Probe(context.Background())
			require.Equal(t, []string{"||"}, atOther.all())

			if c.path == "/" {
				// Back at home all is told again.
				require.Equal(t, []string{basicAuth + "|secret|secret=1", basicAuth + "|secret|secret=1"}, atHome.all())
				require.Equal(t, ReasonOK, result.Reason, result.Sentence)

				return
			}

			require.Equal(t, []string{basicAuth + "|secret|secret=1"}, atHome.all())
			require.Equal(t, ReasonStatusUnexpected, result.Reason)
			require.Contains(t, result.Sentence, "status 401; expected is 200-399; user, password and cookies were not sent")
		})
	}
}

func TestSecretsFollowARedirectAtHome(t *testing.T) {
	t.Parallel()

	for name, to := range map[string]func(home string) string{
		"a relative one":  func(string) string { return "/page" },
		"an absolute one": func(home string) string { return home + "/page" },
		"one to another spelling": func(home string) string {
			return strings.Replace(home, "http://127.0.0.1", "HTTP://127.0.0.1", 1) + "/page"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var server *httptest.Server

			server, told := redirecting(t, func(h http.Handler) *httptest.Server { return httptest.NewServer(h) }, func() string { return to(server.URL) })

			// A header of the target's own gives way to the user in its URL, as before.
			require.Equal(t, ReasonOK, NewProber(withSecrets(t, server.URL, "u:secret@")).Probe(context.Background()).Reason)
			require.Equal(t, ReasonOK, NewProber(withSecrets(t, server.URL, "")).Probe(context.Background()).Reason)
			require.Equal(t, []string{
				basicAuth + "|secret|secret=1", basicAuth + "|secret|secret=1", token + "|secret|secret=1", token + "|secret|secret=1",
			}, told.all())
		})
	}
}

func TestARedirectMayBringAUserOfItsOwn(t *testing.T) {
	t.Parallel()

	plain := func(h http.Handler) *httptest.Server { return httptest.NewServer(h) }
	other, told := redirecting(t, plain, func() string { return "/page" })
	home, _ := redirecting(t, plain, func() string { return strings.Replace(other.URL, "http://", "http://x:y@", 1) })

	require.Equal(t, ReasonOK, NewProber(withSecrets(t, home.URL, "u:secret@")).Probe(context.Background()).Reason)
	require.Equal(t, []string{"Basic eDp5||", "Basic eDp5||"}, told.all())
}

func TestAnOriginIsSchemeHostAndPort(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"http://shop.example/a", "http://SHOP.example:80/b", true},
		{"https://shop.example/", "https://shop.example:443/", true},
		{"https://[::1]:8443/", "https://[::1]:8443/x", true},
		{"https://shop.example/", "http://shop.example/", false},
		{"https://shop.example:8080/", "http://shop.example:8080/", false},
		{"http://shop.example/", "http://shop.example:8080/", false},
		{"http://shop.example/", "http://www.shop.example/", false},
	} {
		a, err := url.Parse(c.a)
		require.NoError(t, err)

		b, err := url.Parse(c.b)
		require.NoError(t, err)
		require.Equal(t, c.same, sameOrigin(a, b), "%s and %s", c.a, c.b)
	}
}

// withSecrets is a target that has all that is not told to others.
func withSecrets(t *testing.T, home, user string) Target {
	t.Helper()

	target, err := NewTarget(strings.Replace(home, "://", "://"+user, 1) + "/")
	require.NoError(t, err)

	target.VerifyCertificate = false
	target.Header = http.Header{"Authorization": {token}, "Proxy-Authorization": {"secret"}, "Cookie": {"secret=1"}}

	return target
}
