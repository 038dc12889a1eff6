package nginx

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
)

func TestWhatNginxSaysIsJudgedByWhoAsked(t *testing.T) {
	t.Parallel()

	const failed = "nginx: configuration file /etc/nginx/nginx.conf test failed\n"

	files := "nginx: [emerg] open() \"/var/log/x\" failed (24: Too many open files)\n" + failed
	key := "nginx: [emerg] cannot load certificate key \"/k\": BIO_new_file() failed (SSL: error:8000000D:system library::Permission denied:x)\n" + failed
	user := "nginx: [warn] " + onlyForRoot + ", ignored in /etc/nginx/nginx.conf:1\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n"
	service := &instance.Instance{Master: &instance.Master{UID: os.Geteuid(), OpenFiles: 1024}}

	for name, c := range map[string]struct {
		result sandbox.Result
		asRoot bool
		want   State
	}{
		"more files than the service may open":  {sandbox.Result{Output: []byte(files), ExitCode: 1, NoFile: 1024}, false, StateEnvironment},
		"more files than the test could open":   {sandbox.Result{Output: []byte(files), ExitCode: 1, NoFile: 512}, false, StateNotTested},
		"a key that root may not read either":   {sandbox.Result{Output: []byte(key), ExitCode: 1}, false, StateEnvironment},
		"a key that only root may read":         {sandbox.Result{Output: []byte(key), ExitCode: 1}, true, StateNotTested},
		"a user directive in the place of root": {sandbox.Result{Output: []byte(user)}, true, StateValid},
		"a user directive of an ordinary user":  {sandbox.Result{Output: []byte(user)}, false, StateValidWithWarnings},
		"a test that was ended":                 {sandbox.Result{TimedOut: true, ExitCode: -1}, false, StateTimedOut},
		"a program that crashed":                {sandbox.Result{ExitCode: -1, Signal: "SIGSEGV"}, false, StateNotTested},
		"a program that fails and is silent":    {sandbox.Result{ExitCode: 1}, false, StateNotTested},
		"a failure that ends with a success":    {sandbox.Result{ExitCode: 1, Output: []byte("nginx: [emerg] bad\n" + failed)}, false, StateInvalid},
		"a program such as true":                {sandbox.Result{}, false, StateNotTested},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			v := judge(service, &c.result, c.asRoot)
			require.Equal(t, c.want, v.state, v.sentence)
			require.Equal(t, c.want == StateValid, v.sentence == "")
		})
	}
}

// An owner or mode that is put right changes no file that nginx reads, so the advice in the sentence seemed not to work.
func TestARefusalIsJudgedAgainAfterAMinute(t *testing.T) {
	t.Parallel()

	now := time.Now()
	w := &watched{last: &outcome{verdict: refusal("unsafe"), fingerprint: fingerprint{settled: true}, endedAt: now.Add(-minRest)}}

	cause, _ := w.due(&w.last.instance, tree.Tree{}, time.Hour, now)
	require.Equal(t, causeRevalidate, cause)
}
