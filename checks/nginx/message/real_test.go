package message

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

var update = flag.Bool("update", false, "write what nginx says to testdata")

const (
	// main is the same for every user.
	main     = "pid {dir}/nginx.pid;\nlock_file {dir}/nginx.lock;\nerror_log {dir}/error.log notice;\n"
	httpOpen = main + "events {}\nhttp { {http}\n"
	server   = httpOpen + "server { listen 127.0.0.1:{port};\n"
)

// realCase is a configuration that nginx complains about.
type realCase struct {
	conf string
	// files are further files in the directory, directories where they end in a slash.
	files map[string]string
	// wrapper is a shell's command that runs nginx with what stands for "$@".
	wrapper   string
	arguments []string
	tls       bool
	// rootOnly is a case that only root can make: an ordinary user meets other limits first.
	rootOnly bool
}

const (
	// nobodys is a configuration that writes nothing.
	nobodys     = "events {}\npid /dev/null;\nerror_log stderr;\n"
	nobodysTemp = "client_body_temp_path /tmp; proxy_temp_path /tmp; fastcgi_temp_path /tmp; uwsgi_temp_path /tmp; scgi_temp_path /tmp; "
	asNobody    = `exec setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"`
)

// realCases are what nginx 1.22.1 was asked for the files of testdata/1.22.1.
var realCases = map[string]realCase{
	"valid":               {conf: server + "} }"},
	"unknown directive":   {conf: server + "proxy_pas http://127.0.0.1; } }"},
	"missing semicolon":   {conf: server + "return 204 } }"},
	"unfinished string":   {conf: server + "return 200 \"a; } }"},
	"missing brace":       {conf: server},
	"brace too many":      {conf: server + "} } }"},
	"wrong context":       {conf: main + "events {}\nlisten 80;"},
	"number of args":      {conf: server + "root a b; } }"},
	"no events":           {conf: main},
	"duplicate":           {conf: server + "root /a; root /b; } }"},
	"bad listen":          {conf: httpOpen + "server { listen 127.0.0.1:{port} reuse; } }"},
	"bad port":            {conf: httpOpen + "server { listen 127.0.0.1:999999; } }"},
	"duplicate listen":    {conf: server + "listen 127.0.0.1:{port}; } }"},
	"duplicate options":   {conf: httpOpen + "server { listen 127.0.0.1:{port} backlog=5; } server { listen 127.0.0.1:{port} backlog=6; } }"},
	"duplicate default":   {conf: httpOpen + "server { listen 127.0.0.1:{port} default_server; } server { listen 127.0.0.1:{port} default_server; } }"},
	"missing include":     {conf: server + "include {dir}/none.conf; } }"},
	"include directory":   {conf: server + "include {dir}/sub; } }", files: map[string]string{"sub/": ""}},
	"in an include":       {conf: server + "include \"{dir}/in in/*.conf\"; } }", files: map[string]string{"in in/": "", "in in/a.conf": "\n\nbad x;\n"}},
	"missing certificate": {conf: server + "listen 127.0.0.1:{port2} ssl; ssl_certificate {dir}/none.pem; ssl_certificate_key {dir}/none.key; } }"},
	"no certificate":      {conf: server + "listen 127.0.0.1:{port2} ssl; } }"},
	"bad certificate":     {conf: server + "listen 127.0.0.1:{port2} ssl; ssl_certificate {dir}/bad.pem; ssl_certificate_key {dir}/bad.pem; } }", files: map[string]string{"bad.pem": "nothing"}},
	"unknown host":        {conf: server + "location / { proxy_pass http://no..such.invalid; } } }"},
	"unknown resolver":    {conf: httpOpen + "resolver no..such.invalid; }"},
	"empty upstream":      {conf: httpOpen + "upstream a {} }"},
	"other address":       {conf: httpOpen + "server { listen 192.0.2.1:{port}; } }"},
	"other address 6":     {conf: httpOpen + "server { listen [2001:db8::1]:{port}; } }"},
	"log directory":       {conf: server + "access_log {dir}/none/access.log; } }"},
	"socket directory":    {conf: httpOpen + "server { listen unix:{dir}/none/socket; } }"},
	"unknown user":        {conf: "user no-such-user;\nevents {}", rootOnly: true},
	"cache parent":        {conf: httpOpen + "proxy_cache_path {dir}/none/cache keys_zone=a:1m; server { listen 127.0.0.1:{port}; } }"},
	"small zone":          {conf: httpOpen + "limit_req_zone $remote_addr zone=a:1k rate=1r/s; }"},
	"huge zone":           {conf: httpOpen + "limit_req_zone $remote_addr zone=a:99999999m rate=1r/s; }"},
	"missing module":      {conf: "load_module {dir}/none.so;\nevents {}"},
	"bad module":          {conf: "load_module {dir}/bad.so;\nevents {}", files: map[string]string{"bad.so": "nothing"}},
	"bad expression":      {conf: server + "location ~ ( { } } }"},
	"names hash":          {conf: server + "server_name " + strings.Repeat("a", 600) + "; } server { listen 127.0.0.1:{port}; server_name b; } }"},
	"pid directory":       {conf: "pid {dir}/none/pid;\nevents {}"},
	"conflicting names":   {conf: server + "server_name a b; } server { listen 127.0.0.1:{port}; server_name b; } }"},
	"deprecated":          {conf: httpOpen + "server { listen 127.0.0.1:{port}; ssl on; ssl_certificate {dir}/tls.pem; ssl_certificate_key {dir}/tls.key; } }", tls: true},
	"warning and error":   {conf: httpOpen + "server { listen 127.0.0.1:{port}; ssl on; bad; } }"},
	"few descriptors":     {conf: server + "include {dir}/many/*.conf; } }", wrapper: `ulimit -n 8; exec "$@"`, files: manyLogs()},
	"key of root": {
		conf: server + "listen 127.0.0.1:{port2} ssl; ssl_certificate {dir}/tls.pem; ssl_certificate_key {dir}/tls.key; } }", tls: true,
		wrapper: `chmod 644 "$(dirname "$0")/tls.pem"; ` + asNobody, rootOnly: true,
	},
	"certificate of root": {conf: server + "listen 127.0.0.1:{port2} ssl; ssl_certificate /etc/shadow; ssl_certificate_key /etc/shadow; } }", wrapper: asNobody, rootOnly: true},
	"port of root":        {conf: nobodys + "http { access_log off; " + nobodysTemp + "server { listen 127.0.0.1:81; } }", wrapper: asNobody, rootOnly: true},
	"error log of root":   {conf: nobodys, wrapper: asNobody, rootOnly: true, arguments: []string{"-e", "/root/none/error.log"}},
	"unknown option":      {conf: "events {}", arguments: []string{"-x"}},
	"command line":        {conf: "events {}", arguments: []string{"-g", "bad on;"}},
	"pid file of root":    {conf: server + "} }", wrapper: asNobody, rootOnly: true},
	"include of root":     {conf: "events {}\ninclude /etc/shadow;", wrapper: asNobody, rootOnly: true},
}

// manyLogs are more logs than there are descriptors.
func manyLogs() map[string]string {
	files := map[string]string{"many/": ""}
	for i := range 9 {
		files[fmt.Sprintf("many/%d.conf", i)] = "access_log /dev/" + strings.Repeat("./", i) + "null;"
	}

	return files
}

// ask has nginx test a case.
func (c realCase) ask(t *testing.T, arguments ...string) string {
	t.Helper()

	return c.askSuite(t, nginx.Bookworm, arguments...)
}

func (c realCase) askSuite(t *testing.T, suite nginx.Suite, arguments ...string) string {
	t.Helper()

	n := nginx.PrepareT(t, nginx.Options{Suite: suite, Whole: c.conf, TLS: c.tls})

	for name := range c.files {
		path := filepath.Join(n.Dir(), name)
		if strings.HasSuffix(name, "/") {
			require.NoError(t, os.MkdirAll(path, 0o755))
		}
	}

	for name, content := range c.files {
		if !strings.HasSuffix(name, "/") {
			require.NoError(t, os.WriteFile(filepath.Join(n.Dir(), name), []byte(content), 0o644))
		}
	}

	program := ""
	if c.wrapper != "" {
		program = filepath.Join(n.Dir(), "wrapper")
		script := "#!/bin/sh\nset -- " + n.Program() + " \"$@\"\n" + c.wrapper + "\n"

		// A child that another test forks meanwhile would hold the file open for writing, so that nobody may run it.
		syscall.ForkLock.RLock()
		err := os.WriteFile(program, []byte(script), 0o755)
		syscall.ForkLock.RUnlock()
		require.NoError(t, err)
	}

	verdict, err := n.Test(program, append(c.arguments, arguments...)...)
	require.NoError(t, err)

	return strings.ReplaceAll(verdict.Output, n.Dir(), "/srv/test")
}

// settled is an output without what differs from run to run.
func settled(output string) string {
	output = regexp.MustCompile(`(?m)^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(\w+)\] \d+#\d+:`).ReplaceAllString(output, "2026/11/24 12:00:00 [$1] 123#123:")

	return regexp.MustCompile(`([.:]\d+\]?):\d{5}\b`).ReplaceAllString(output, "$1:8080")
}

func fixture(name string) string {
	return filepath.Join("testdata", "1.22.1", strings.ReplaceAll(name, " ", "-")+".txt")
}

func TestRealNginxSaysWhatItSaidForTheFiles(t *testing.T) {
	t.Parallel()

	for name, c := range realCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if c.rootOnly && os.Geteuid() != 0 {
				require.FileExists(t, fixture(name))

				return
			}

			output := settled(c.ask(t))
			if *update {
				require.NoError(t, os.WriteFile(fixture(name), []byte(output), 0o644))
			}

			recorded, err := os.ReadFile(fixture(name))
			require.NoError(t, err)
			require.Equal(t, string(recorded), output)
		})
	}
}

func TestAnErrorLogOfItsOwnChangesNothing(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"valid", "unknown directive", "conflicting names", "log directory", "huge zone", "deprecated"} {
		onTerminal, err := Parse(strings.NewReader(settled(realCases[name].ask(t))))
		require.NoError(t, err)

		inFile, err := Parse(strings.NewReader(settled(realCases[name].ask(t, "-e", "error.log"))))
		require.NoError(t, err)
		require.Equal(t, onTerminal, inFile, name)

		// A log that is the terminal under another name.
		both := settled(realCases[name].ask(t, "-e", "/dev/stderr"))
		twice, err := Parse(strings.NewReader(both))
		require.NoError(t, err)
		require.Equal(t, onTerminal, twice, both)
	}
}

func TestOtherVersionsFailForTheSameCauses(t *testing.T) {
	t.Parallel()

	for _, suite := range nginx.Suites() {
		for name, c := range realCases {
			if c.rootOnly && os.Geteuid() != 0 || name == "error log of root" || name == "deprecated" {
				// The option -e came with 1.19.5, and the directive ssl went with 1.25.1.
				continue
			}

			o, err := Parse(strings.NewReader(c.askSuite(t, suite)))
			require.NoError(t, err)

			want, fails := reasons[name]
			if fails && o.Verdict != VerdictSuccessful {
				require.NotNil(t, o.Reason(), "%s %s", suite, name)
				require.Equal(t, want.Cause, o.Reason().Cause, "%s %s: %s", suite, name, o.Reason().Text)
			} else {
				require.Equal(t, fails, o.Verdict == VerdictFailed, "%s %s: %v", suite, name, o)
			}
		}
	}
}
