package instance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryProductsOutputIsUnderstood(t *testing.T) {
	t.Parallel()

	for name, want := range map[string]Build{
		"nginx-1.24.0-ubuntu": {
			Product: ProductNginx, Text: "nginx/1.24.0 (Ubuntu)", Version: Version{1, 24, 0}, Base: Version{1, 24, 0},
			OpenSSL: "OpenSSL 3.0.13 30 Jan 2024",
			Arguments: map[string]string{
				"prefix": "/usr/share/nginx", "conf-path": "/etc/nginx/nginx.conf", "error-log-path": "stderr",
				"pid-path": "/run/nginx.pid",
			},
		},
		"nginx-1.13.0-source": {
			Product: ProductNginx, Text: "nginx/1.13.0", Version: Version{1, 13, 0}, Base: Version{1, 13, 0},
			Arguments: map[string]string{},
		},
		"nginx-1.25.5-plus": {
			Product: ProductNginx, Text: "nginx/1.25.5 (nginx-plus-r32-p1)",
			Version: Version{1, 25, 5}, Base: Version{1, 25, 5}, OpenSSL: "OpenSSL 3.0.7 1 Nov 2022",
			Arguments: map[string]string{
				"prefix": "/etc/nginx", "sbin-path": "/usr/sbin/nginx", "conf-path": "/etc/nginx/nginx.conf",
				"error-log-path": "/var/log/nginx/error.log", "pid-path": "/var/run/nginx.pid", "user": "nginx",
				"group": "nginx", "build": "nginx-plus-r32-p1",
			},
		},
		"angie-1.10.3": {
			Product: ProductAngie, Text: "Angie/1.10.3", Version: Version{1, 10, 3}, Base: Version{1, 27, 5},
			OpenSSL: "OpenSSL 3.0.16 11 Feb 2025",
			Arguments: map[string]string{
				"prefix": "/etc/angie", "conf-path": "/etc/angie/angie.conf", "error-log-path": "/var/log/angie/error.log",
				"pid-path": "/run/angie.pid", "user": "angie", "group": "angie",
			},
		},
		"angie-1.9.0-pro": {
			Product: ProductAngie, Text: "Angie/1.9.0 (PRO)", Version: Version{1, 9, 0}, Base: Version{1, 27, 4},
			OpenSSL: "OpenSSL 3.0.2 15 Mar 2022",
			Arguments: map[string]string{
				"prefix": "/etc/angie", "conf-path": "/etc/angie/angie.conf", "error-log-path": "/var/log/angie/error.log",
				"pid-path": "/run/angie.pid", "user": "angie", "group": "angie", "build": "PRO",
			},
		},
		"angie-1.1.0-source": {
			Product: ProductAngie, Text: "Angie/1.1.0", Version: Version{1, 1, 0}, Base: Version{1, 23, 4},
			Arguments: map[string]string{},
		},
		"freenginx-1.27.0": {
			Product: ProductFreenginx, Text: "freenginx/1.27.0", Version: Version{1, 27, 0}, Base: Version{1, 27, 0},
			OpenSSL:   "OpenSSL 3.2.1 30 Jan 2024",
			Arguments: map[string]string{"prefix": "/usr/local/freenginx", "conf-path": "conf/my.conf"},
		},
		"freenginx-1.31.1-alpine": {
			Product: ProductFreenginx, Text: "freenginx/1.31.1", Version: Version{1, 31, 1}, Base: Version{1, 31, 1},
			OpenSSL: "OpenSSL 4.0.0 14 Apr 2026",
			Arguments: map[string]string{
				"prefix": "/usr/share/nginx", "sbin-path": "/usr/sbin/nginx", "conf-path": "/tmp/nginx/nginx.conf",
				"error-log-path": "/tmp/logs/nginx/error.log",
			},
		},
		"openresty-1.25.3.1": {
			Product: ProductOpenResty, Text: "openresty/1.25.3.1", Version: Version{1, 25, 3, 1}, Base: Version{1, 25, 3},
			OpenSSL: "OpenSSL 1.1.1w  11 Sep 2023", Arguments: map[string]string{"prefix": "/usr/local/openresty/nginx"},
		},
		"openresty-1.9.3.2-source": {
			Product: ProductOpenResty, Text: "openresty/1.9.3.2", Version: Version{1, 9, 3, 2}, Base: Version{1, 9, 3},
			Arguments: map[string]string{},
		},
		"tengine-2.4.1": {
			Product: ProductTengine, Text: "Tengine/2.4.1", Version: Version{2, 4, 1}, Base: Version{1, 22, 1},
			OpenSSL:   "OpenSSL 1.1.1k  FIPS 25 Mar 2021",
			Arguments: map[string]string{"prefix": "/usr/local/tengine", "user": "www", "group": "www"},
		},
		"tengine-2.2.3": {
			Product: ProductTengine, Text: "Tengine/2.2.3 (nginx/1.8.1)", Version: Version{2, 2, 3}, Base: Version{1, 8, 1},
			Arguments: map[string]string{"prefix": "/opt/tengine223/"},
		},
		"branded": {
			Product: ProductOther, Text: "ShopServer/7.2 (internal)", Version: Version{7, 2},
			Arguments: map[string]string{"prefix": "/opt/shop", "conf-path": "/opt/shop/etc/shop.conf"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := parseFixture(t, name)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

func parseFixture(t *testing.T, name string) (Build, error) {
	t.Helper()

	file, err := os.Open(filepath.Join("testdata", "version", name+".txt"))
	require.NoError(t, err)

	defer func() { require.NoError(t, file.Close()) }()

	return ParseBuild(file)
}

func TestDebiansProgramNamesItsPaths(t *testing.T) {
	t.Parallel()

	b, err := parseFixture(t, "nginx-1.22.1-debian")
	require.NoError(t, err)
	require.Equal(t, ProductNginx, b.Product)
	require.Equal(t, "nginx/1.22.1", b.Text)
	require.Equal(t, "/usr/share/nginx", b.Prefix())
	require.Equal(t, "/etc/nginx/nginx.conf", b.Config())
	require.Equal(t, "stderr", b.ErrorLog())
	require.Equal(t, "/run/nginx.pid", b.PIDFile())
}

func TestWhatConfigureWasNotToldIsTheProductsOwnDefault(t *testing.T) {
	t.Parallel()

	for name, want := range map[string][4]string{
		"nginx-1.13.0-source":      {"/usr/local/nginx", "conf/nginx.conf", "logs/error.log", "logs/nginx.pid"},
		"angie-1.1.0-source":       {"/usr/local/angie", "conf/angie.conf", "logs/error.log", "logs/angie.pid"},
		"openresty-1.9.3.2-source": {"/usr/local/openresty/nginx", "conf/nginx.conf", "logs/error.log", "logs/nginx.pid"},
	} {
		b, err := parseFixture(t, name)
		require.NoError(t, err)
		require.Equal(t, want, [4]string{b.Prefix(), b.Config(), b.ErrorLog(), b.PIDFile()}, name)
	}
}

func TestTextThatIsNotNginxsIsRefused(t *testing.T) {
	t.Parallel()

	for _, text := range []string{"", "Apache/2.4.62", "nginx version: ", "configure arguments: --prefix=/a"} {
		_, err := ParseBuild(strings.NewReader(text))
		require.ErrorIs(t, err, errNotNginx, text)
	}
}

func TestVersionsAreComparedByNumber(t *testing.T) {
	t.Parallel()

	ordered := []string{"", "1.9.1", "1.9.15", "1.10.3", "1.12.1", "1.13", "1.13.0", "1.25.3", "1.25.3.1", "2.0"}
	for i, older := range ordered {
		for _, newer := range ordered[i+1:] {
			require.Negative(t, ParseVersion(older).Compare(ParseVersion(newer)), "%s, %s", older, newer)
			require.Positive(t, ParseVersion(newer).Compare(ParseVersion(older)), "%s, %s", older, newer)
		}

		require.Equal(t, older, ParseVersion(older).String())
	}

	first, last := Version{1, 9, 1}, Version{1, 12, 1}
	require.True(t, first.Between(first, last))
	require.True(t, last.Between(first, last))
	require.False(t, Version{1, 12, 2}.Between(first, last))
	require.False(t, Version(nil).Between(first, last))
}

func TestAVersionIsOneStringInJSON(t *testing.T) {
	t.Parallel()

	text, err := json.Marshal(Build{Version: Version{1, 25, 3, 1}})
	require.NoError(t, err)
	require.Contains(t, string(text), `"Version":"1.25.3.1"`)

	var back Build
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, Version{1, 25, 3, 1}, back.Version)
}

func TestOddVersionsEndWhereTheNumbersDo(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]Version{
		"1.22.1 (Ubuntu)": {1, 22, 1}, "1.9.1rc2": {1, 9, 1}, "x": nil, "1.": {1}, "1.2.3.4.5": {1, 2, 3, 4},
		"99999999999999999999": nil, "1.99999999999999999999": {1},
	} {
		require.Equal(t, want, ParseVersion(text), text)
	}
}

func FuzzParseBuild(f *testing.F) {
	files, err := filepath.Glob("testdata/version/*.txt")
	require.NoError(f, err)

	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(text))
	}

	f.Fuzz(func(t *testing.T, text string) {
		b, err := ParseBuild(strings.NewReader(text))
		if err != nil {
			require.Equal(t, Build{}, b)

			return
		}

		require.NotEmpty(t, b.Text)
		require.LessOrEqual(t, len(b.Text), maxShown)
		require.LessOrEqual(t, len(b.Arguments), maxArguments)

		texts, err := versionTexts(strings.NewReader(strings.ReplaceAll(text, "\n", "\n\x00")))
		require.NoError(t, err)
		require.LessOrEqual(t, len(texts), 3*maxLines*(maxVersionOutput+1))
	})
}
