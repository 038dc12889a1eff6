package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The real API is asked in templates/e2e.

func TestWrongCommandLinesAreRefusedBeforeAnythingIsAsked(t *testing.T) {
	t.Parallel()

	const understand = "cannot understand the command line: see the usage above"

	tests := map[string]struct {
		arguments []string
		env       map[string]string
		want      string
	}{
		"no command":            {nil, nil, understand},
		"an unknown command":    {[]string{"customers"}, nil, understand},
		"a customer's server":   {[]string{"customer", "anna"}, nil, understand},
		"an empty name":         {[]string{"customer", "", "web1"}, nil, understand},
		"one argument too many": {[]string{"remove", "anna", "web1"}, nil, understand},
		"an unknown option":     {[]string{"fleet", "-hosts", "x", "G"}, nil, understand + ": flag provided but not defined: -hosts"},
		"a time without unit":   {[]string{"customer", "-token-for", "90", "anna", "web1"}, nil, understand + `: invalid value "90" for flag -token-for: parse error`},
		"no token":              {[]string{"fleet", "G"}, map[string]string{"ZABBIX_URL": "http://127.0.0.1:1"}, "cannot call the API: ZABBIX_URL and ZABBIX_TOKEN are not both set; set them in the environment"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := run(test.arguments, func(name string) string { return test.env[name] }, strings.NewReader(""), io.Discard)
			require.EqualError(t, err, test.want)
		})
	}
}

func TestOptionsThatCannotBeUsedAreRefused(t *testing.T) {
	t.Parallel()

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","result":"7.0.9","id":1}`)
	}))
	t.Cleanup(server.Close)

	env := func(name string) string {
		return map[string]string{"ZABBIX_URL": server.URL, "ZABBIX_TOKEN": "secret"}[name]
	}
	for _, test := range []struct{ option, in, want string }{
		{"-password", "", "cannot read the password: standard input has none; write it there in one line"},
		{"-password", "\n", "cannot read the password: standard input has none; write it there in one line"},
		{"-token-for=1s", "", "cannot make a token for 1s: that is too short; give at least 1m"},
		{"-token-for=-1h", "", "cannot make a token for -1h0m0s: that is too short; give at least 1m"},
	} {
		var out bytes.Buffer

		err := run([]string{"customer", test.option, "anna", "web1"}, env, strings.NewReader(test.in), &out)
		require.EqualError(t, err, test.want)
		require.Empty(t, out.String())
	}
}

func TestTheUsageNamesEveryOption(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"fleet", "customer", "remove"} {
		require.Contains(t, usage, fmt.Sprintf("\n  %s ", name))
	}
	for _, option := range []string{"-host", "-new-token", "-token-for", "-password"} {
		require.Contains(t, usage, option)
	}
}
