package hazard

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrdinaryTestsAreFoundInCommands(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"nginx -t":                                       "nginx -t",
		"/usr/sbin/nginx -T | grep server":               "/usr/sbin/nginx -T",
		"* * * * * root /usr/sbin/nginx -tq":             "/usr/sbin/nginx -t",
		"nginx -q -t -c /etc/nginx/nginx.conf":           "nginx -t",
		"nginx -c /etc/nginx/nginx.conf -t":              "nginx -t",
		"nginx -c/etc/t.conf -qt":                        "nginx -t",
		"nginx -g 'daemon off; error_log x;' -t":         "nginx -t",
		"sudo -n /opt/nginx-1.13.0/sbin/nginx -t":        "/opt/nginx-1.13.0/sbin/nginx -t",
		"angie -t && angie -s reload":                    "angie -t",
		"/usr/local/openresty/nginx/sbin/nginx -t":       "/usr/local/openresty/nginx/sbin/nginx -t",
		"nginx -V -t":                                    "nginx -t",
		"nginx -s reload -t":                             "",
		"tengine -t":                                     "tengine -t",
		"nginx-debug -t":                                 "nginx-debug -t",
		"if ! nginx -t; then exit 1; fi":                 "nginx -t",
		"out=$(nginx -t 2>&1)":                           "nginx -t",
		"out=`nginx -t 2>&1`":                            "nginx -t",
		`bash -c "nginx -t"`:                             "nginx -t",
		`su - root -c "bash -c 'nginx -t'"`:              "nginx -t",
		`CHECK="/usr/sbin/nginx -t"`:                     "/usr/sbin/nginx -t",
		`"$NGINX" -t`:                                    "$NGINX -t",
		`${nginx_bin} -t -q`:                             "${nginx_bin} -t",
		"service nginx configtest":                       "service nginx configtest",
		"/usr/sbin/service nginx configtest":             "/usr/sbin/service nginx configtest",
		"/etc/init.d/nginx configtest":                   "/etc/init.d/nginx configtest",
		"invoke-rc.d nginx configtest":                   "invoke-rc.d nginx configtest",
		"rc-service nginx checkconfig":                   "rc-service nginx checkconfig",
		"docker exec web nginx -t":                       "docker exec web nginx -t"[len("docker exec web "):],
		"timeout 10 nginx -t && systemctl reload x":      "nginx -t",
		`subprocess.run(["/usr/sbin/nginx", "-t"])`:      "/usr/sbin/nginx -t",
		"exec(['nginx', '-q', '-t'], env)":               "nginx -t",
		"echo start; nginx -t # test":                    "nginx -t",
		`"/usr/sbin/nginx" "-t"`:                         "/usr/sbin/nginx -t",
		`zabbix ALL=(root) NOPASSWD: /usr/sbin/nginx -t`: "/usr/sbin/nginx -t",

		"":                                      "",
		"nginx -s reload":                       "",
		"nginx -v":                              "",
		"nginx -c /etc/nginx/t.conf":            "",
		"nginx -g 'daemon off; -t'":             "",
		"nginx test -t":                         "",
		"nginx --test":                          "",
		"service nginx reload":                  "",
		"apt-get install nginx -t backports":    "",
		"sudo apt install nginx -t x":           "",
		"systemctl list-units nginx -t s":       "",
		"docker build nginx -t web":             "",
		"docker run -t nginx":                   "",
		"echo run nginx -t":                     "",
		"grep -c 'nginx -t' /etc/crontab":       "",
		"[ -x /usr/sbin/nginx -t 1 ]":           "",
		"# nginx -t":                            "",
		"ssh -t web nginx -t":                   "",
		"apachectl -t":                          "",
		"check_nginx.sh -t 5":                   "",
		"/etc/nginx/nginx.conf -t":              "",
		"zabbix ALL = ALL, !/usr/sbin/nginx -t": "",
		"zabbix-agent2-plugin-hosting nginx test --binary /usr/sbin/nginx --config /etc/nginx/nginx.conf": "",
	} {
		require.Equal(t, want, parseCommand(text).test, text)
	}
}

func TestScriptsAreNamedByTheirPaths(t *testing.T) {
	t.Parallel()

	require.Equal(t, []string{"/usr/bin/flock", "/tmp/lock", "/opt/ab.sh"},
		parseCommand(`*/5 * * * * root /usr/bin/flock -n /tmp/lock "/opt/ab.sh" 2>&1; cat /etc/passwd`).paths)
}

func FuzzParseCommand(f *testing.F) {
	for _, seed := range []string{"sh -c \"su -c 'nginx -t'\"", "out=$(nginx -c x -t)", `a\ b "c`, "service nginx configtest"} {
		f.Add(seed)
	}

	f.Fuzz(func(t *testing.T, text string) {
		got := parseCommand(text)
		require.LessOrEqual(t, len(got.test), 3*maxTest)

		for _, path := range got.paths {
			require.True(t, strings.HasPrefix(path, "/"))
		}
	})
}
