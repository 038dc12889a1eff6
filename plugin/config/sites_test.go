package config

import (
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/site"
)

func siteTree(t *testing.T, name string, pairs ...string) []byte {
	t.Helper()

	return namedTree(t, "Sites", name, pairs...)
}

// namedTree is the subtree of a node with one name, whose options are given as name and value in turn, from line 10 on.
func namedTree(t *testing.T, node, name string, pairs ...string) []byte {
	t.Helper()

	var nodes []any

	for i := 0; i < len(pairs); i += 2 {
		nodes = append(nodes, leaf(pairs[i], 10+i/2, []byte(pairs[i+1])))
	}

	one := map[string]any{"Name": name, "Nodes": nodes, "Line": 10}

	return tree(t, map[string]any{"Name": node, "Nodes": []any{one}, "Line": 10})
}

func TestOneLineMakesASite(t *testing.T) {
	t.Parallel()

	options, err := Parse(siteTree(t, "shop", "URL", "https://shop.example/"))
	require.NoError(t, err)

	want, err := site.NewTarget("https://shop.example/")
	require.NoError(t, err)
	require.Equal(t, []site.Site{{Name: "shop", Target: want, Interval: 5 * time.Second}}, options.Sites)
	require.Equal(t, 10*time.Second, want.Timeout)
}

func TestEachSiteOptionReachesTheTarget(t *testing.T) {
	t.Parallel()

	options, err := Parse(siteTree(t, "shop",
		"Interval", "200ms", "Timeout", "3s", "Connect", "127.0.0.1:443", "Source", "127.0.0.2", "Family", "4",
		"Resolver", "127.0.0.1:53", "Method", "HEAD", "Header", "X-A: 1", "Header", "X-A: 2", "Status", "200", "BodyMatch", "a+",
		"BodyForbid", "b", "BodyLimit", "100", "MaxRedirects", "0", "VerifyCertificate", "false", "HTTP2", "true",
		"URL", "https://shop.example/"))
	require.NoError(t, err)

	want, err := site.NewTarget("https://shop.example/")
	require.NoError(t, err)

	want.Timeout, want.Connect, want.Source, want.Family = 3*time.Second, "127.0.0.1:443", netip.MustParseAddr("127.0.0.2"), 4
	want.Resolver, want.Method, want.Header = "127.0.0.1:53", "HEAD", http.Header{"X-A": {"1", "2"}}
	want.Status, err = site.ParseStatusSet("200")
	require.NoError(t, err)

	want.BodyMatch, want.BodyForbid, want.BodyLimit = regexp.MustCompile("a+"), regexp.MustCompile("b"), 100
	want.MaxRedirects, want.VerifyCertificate, want.HTTP2 = 0, false, true
	require.Equal(t, []site.Site{{Name: "shop", Target: want, Interval: 200 * time.Millisecond}}, options.Sites)
}

func TestWrongSiteOptionsAreNamed(t *testing.T) {
	t.Parallel()

	const url = "http://shop.example/"

	tests := map[string]struct {
		private []byte
		want    string
	}{
		"a malformed URL": {
			siteTree(t, "shop", "URL", "shop.example"),
			"cannot use option Plugins.Hosting.Sites.shop.URL=shop.example (line 10): allowed is an absolute http or https URL",
		},
		"an unknown scheme": {siteTree(t, "shop", "URL", "ftp://shop.example/"), "Plugins.Hosting.Sites.shop.URL=ftp://shop.example/ (line 10)"},
		"no URL":            {siteTree(t, "shop", "Timeout", "3s"), "cannot use options Plugins.Hosting.Sites.shop.* (line 10): the site needs Plugins.Hosting.Sites.shop.URL"},
		"an unknown option": {
			siteTree(t, "shop", "URL", url, "Intervall", "3s"),
			"cannot use option Plugins.Hosting.Sites.shop.Intervall (line 11): there is no such option; known are URL, Interval, Timeout",
		},
		// It told of a missing URL.
		"a name in small letters": {
			siteTree(t, "shop", "url", url), "cannot use option Plugins.Hosting.Sites.shop.url (line 10): there is no option url; names are case-sensitive: write URL",
		},
		"a duplicate name": {
			siteTree(t, "shop", "URL", url, "URL", url),
			"Plugins.Hosting.Sites.shop.URL=http://shop.example/ (line 11): it stands in line 10 already; is there another site of this name?",
		},
		"an interval too short": {
			siteTree(t, "shop", "URL", url, "Interval", "100ms"),
			"cannot use option Plugins.Hosting.Sites.shop.Interval=100ms (line 11): allowed is a time from 200ms to 1h",
		},
		"a regular expression that does not compile": {
			siteTree(t, "shop", "URL", url, "BodyMatch", "("),
			"Plugins.Hosting.Sites.shop.BodyMatch=( (line 11): allowed is a regular expression (RE2) (error parsing regexp: missing closing )",
		},
		"an address without a port": {siteTree(t, "shop", "URL", url, "Connect", "127.0.0.1"), "allowed is host:port"},
		"a source that is a name":   {siteTree(t, "shop", "URL", url, "Source", "eth0"), "allowed is an IP address of this host"},
		"another version of IP":     {siteTree(t, "shop", "URL", url, "Family", "5"), "allowed is 4 or 6"},
		"a header without a colon":  {siteTree(t, "shop", "URL", url, "Header", "X-A"), "allowed is Name: value"},
		"a header that smuggles":    {siteTree(t, "shop", "URL", url, "Header", "X-A: 1\r\nX-B: 2"), "allowed is Name: value"},
		"a status out of range":     {siteTree(t, "shop", "URL", url, "Status", "2000"), "allowed is codes and ranges"},
		"a word for a bool":         {siteTree(t, "shop", "URL", url, "HTTP2", "yes"), "allowed is true or false"},
		"too many redirects":        {siteTree(t, "shop", "URL", url, "MaxRedirects", "21"), "allowed is a whole number from 0 to 20"},
		"a name with a dash":        {siteTree(t, "my-shop", "URL", url), "a name having 1 to 64 letters, digits and _, but no dot"},
		"a name with a dot": {
			tree(t, map[string]any{"Name": "Sites", "Line": 10, "Nodes": []any{map[string]any{
				"Name": "a", "Line": 10, "Nodes": []any{map[string]any{"Name": "b", "Line": 10, "Nodes": []any{leaf("URL", 10, []byte(url))}}},
			}}}),
			"cannot use option Plugins.Hosting.Sites.a.b.URL (line 10): write it as Plugins.Hosting.Sites.<name>.<option>",
		},
		"a site without an option": {tree(t, map[string]any{"Name": "Sites", "Line": 10, "Nodes": []any{leaf("shop", 10, []byte(url))}}), "Plugins.Hosting.Sites.shop (line 10)"},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := Parse(test.private)
			require.ErrorContains(t, err, test.want)
		})
	}
}

// The agent's log and the doctor showed passwords.
func TestErrorsKeepSecrets(t *testing.T) {
	t.Parallel()

	const url = "http://shop.example/"

	for name, test := range map[string]struct {
		private []byte
		want    string
	}{
		"a password in a URL of another scheme":   {siteTree(t, "s", "URL", "htp://u:SECRET@x/"), "URL=htp://…@x/ (line 10): allowed is an absolute http or https URL"},
		"a password in a URL without a host":      {siteTree(t, "s", "URL", "http:u:SECRET@x/"), "URL=…@x/ (line 10): allowed is an absolute http or https URL"},
		"a password with what no password may be": {siteTree(t, "s", "URL", "http://u:SECRET@/SECRET %@x/"), "URL=http://…@x/ (line 10): allowed is an absolute http or https URL"},
		"a password that looks like a scheme":     {siteTree(t, "s", "URL", "u:SECRET://SECRET@x/"), "URL=…@x/ (line 10): allowed is"},
		"a password in a URL that is given twice": {siteTree(t, "s", "URL", "http://u:SECRET@x/", "URL", "http://u:SECRET@x/"), "URL=http://…@x/ (line 11): it stands in line 10 already"},
		"a header that smuggles":                  {siteTree(t, "s", "URL", url, "Header", "Cookie: SECRET\r\nX: 1"), "Header=Cookie: … (line 11): allowed is Name: value"},
		"a header without a colon":                {siteTree(t, "s", "URL", url, "Header", "Authorization SECRET"), "Header=… (line 11): allowed is Name: value"},
		"a header whose name is none":             {siteTree(t, "s", "URL", url, "Header", "Authorization SECRET:x"), "Header=… (line 11): allowed is Name: value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := Parse(test.private)
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), "SECRET")
		})
	}
}

func TestFiveHundredSitesAreSortedByName(t *testing.T) {
	t.Parallel()

	var nodes []any

	for i := range 500 {
		nodes = append(nodes, map[string]any{
			"Name": fmt.Sprintf("s%03d", 499-i), "Line": i, "Nodes": []any{leaf("URL", i, []byte("http://127.0.0.1/"))},
		})
	}

	options, err := Parse(tree(t, map[string]any{"Name": "Sites", "Nodes": nodes, "Line": 1}))
	require.NoError(t, err)
	require.Len(t, options.Sites, 500)
	require.Equal(t, "s000", options.Sites[0].Name)
	require.Equal(t, "s499", options.Sites[499].Name)
}
