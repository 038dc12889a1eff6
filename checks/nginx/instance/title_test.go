package instance

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// padded is a title as the kernel shows it.
func padded(text string) []byte { return []byte(text + "\x00") }

func noComm() string { return "" }

func TestTitlesOfMastersAreTakenApart(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("x", maxAngie)

	for name, test := range map[string]struct {
		text    string
		program string
		product Product
		want    command
		cut     bool
	}{
		"a master without options": {
			text: "nginx: master process nginx", product: ProductNginx, want: command{program: "nginx"},
		},
		"one with all options": {
			text:    "nginx: master process /usr/sbin/nginx -c /etc/nginx/nginx.conf -p /srv -e /var/log/e.log -g daemon off;",
			product: ProductNginx,
			want: command{program: "/usr/sbin/nginx", arguments: Arguments{
				Config: "/etc/nginx/nginx.conf", Prefix: "/srv", ErrorLog: "/var/log/e.log", Directives: "daemon off;",
			}},
		},
		"directives with blanks before another option": {
			text:    "nginx: master process /usr/sbin/nginx -g daemon off; worker_processes 2; -c /etc/nginx/a.conf",
			product: ProductNginx,
			want: command{program: "/usr/sbin/nginx", arguments: Arguments{
				Config: "/etc/nginx/a.conf", Directives: "daemon off; worker_processes 2;",
			}},
		},
		"Debian's unit": {
			text:    "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;",
			product: ProductNginx,
			want:    command{program: "/usr/sbin/nginx", arguments: Arguments{Directives: "daemon on; master_process on;"}},
		},
		"directives that hold what looks like an option": {
			text:    "nginx: master process nginx -g env A=x -c y; daemon off; -p /srv",
			product: ProductNginx,
			want:    command{program: "nginx", arguments: Arguments{Directives: "env A=x -c y; daemon off;", Prefix: "/srv"}},
		},
		"directives that end with a brace": {
			text:    "nginx: master process nginx -g events { } -c /a",
			product: ProductNginx,
			want:    command{program: "nginx", arguments: Arguments{Directives: "events { }", Config: "/a"}},
		},
		"paths with blanks": {
			text:    "nginx: master process nginx -c /srv/my site/nginx - new.conf -p /srv/my site/",
			product: ProductNginx,
			want:    command{program: "nginx", arguments: Arguments{Config: "/srv/my site/nginx - new.conf", Prefix: "/srv/my site/"}},
		},
		"a program with blanks whose path is known": {
			text: "nginx: master process /opt/my -c web/nginx -c /a", program: "/opt/my -c web/nginx",
			product: ProductNginx,
			want:    command{program: "/opt/my -c web/nginx", arguments: Arguments{Config: "/a"}},
		},
		"a program under another name than its path": {
			text: "nginx: master process nginx -c /a", program: "/usr/sbin/nginx", product: ProductNginx,
			want: command{program: "nginx", arguments: Arguments{Config: "/a"}},
		},
		"options without a blank": {
			text:    "nginx: master process nginx -qc/etc/a.conf -p/srv -gdaemon off;",
			product: ProductNginx,
			want:    command{program: "nginx", arguments: Arguments{Config: "/etc/a.conf", Prefix: "/srv", Directives: "daemon off;"}},
		},
		"an option that comes twice": {
			text: "nginx: master process nginx -c /a -c /b", product: ProductNginx,
			want: command{program: "nginx", arguments: Arguments{Config: "/b"}},
		},
		"a line that ends within an option": {
			text: "nginx: master process nginx -p /srv -c", product: ProductNginx,
			want: command{program: "nginx", arguments: Arguments{Prefix: "/srv"}, dangling: true},
		},
		"Angie": {
			text:    "angie: master process v1.7.0 #6 [/usr/sbin/angie -c /etc/angie/angie.conf]",
			product: ProductAngie,
			want:    command{program: "/usr/sbin/angie", arguments: Arguments{Config: "/etc/angie/angie.conf"}},
		},
		"Angie PRO": {
			text:    "angie: master process v1.9.0 PRO #1 [/usr/sbin/angie -g daemon off;]",
			product: ProductAngie,
			want:    command{program: "/usr/sbin/angie", arguments: Arguments{Directives: "daemon off;"}},
		},
		"Angie in one process": {
			text: "angie: single process v1.7.0 #1 [angie]", product: ProductAngie, want: command{program: "angie"},
		},
		"Angie that only tests": {
			text:    "angie: master process v1.7.0 #0 [angie -t -c /a]",
			product: ProductAngie,
			want:    command{program: "angie", arguments: Arguments{Config: "/a"}, testing: true},
		},
		"Angie with more than it shows": {
			text: "angie: master process v1.7.0 #1 [" + long, product: ProductAngie, want: command{program: long}, cut: true,
		},
		"an old Angie": {
			text: "angie: master process angie -c /a", product: ProductAngie,
			want: command{program: "angie", arguments: Arguments{Config: "/a"}},
		},
		"OpenResty": {
			text:    "nginx: master process /usr/local/openresty/nginx/sbin/nginx -p /srv/app/ -c conf/nginx.conf",
			product: ProductNginx,
			want: command{
				program: "/usr/local/openresty/nginx/sbin/nginx", arguments: Arguments{Prefix: "/srv/app/", Config: "conf/nginx.conf"},
			},
		},
		"freenginx under its own name": {
			text: "freenginx: master process freenginx", product: ProductFreenginx, want: command{program: "freenginx"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, ok := parseTitle(padded(test.text), noComm)
			require.True(t, ok)
			require.True(t, got.master)
			require.Equal(t, test.product, got.product)
			require.Equal(t, test.cut, got.cut)
			require.Equal(t, test.want, parseCommand(got.command, test.program))
		})
	}
}

func TestChildrenAreToldByTheirTitles(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]WorkerKind{
		"nginx: worker process":                     KindWorker,
		"nginx: worker process is shutting down":    KindWorkerShuttingDown,
		"nginx: cache manager process":              KindCacheManager,
		"nginx: cache loader process":               KindCacheLoader,
		"nginx: privileged agent process":           KindOther,
		"angie: worker process #6":                  KindWorker,
		"angie: worker process is shutting down #6": KindWorkerShuttingDown,
		"angie: cache manager process #1":           KindCacheManager,
	} {
		// A title shorter than the command line is padded.
		got, ok := parseTitle(append(padded(text), make([]byte, 30)...), noComm)
		require.True(t, ok, text)
		require.False(t, got.master, text)
		require.Equal(t, want, got.kind, text)
	}
}

func TestOtherProgramsTitlesAreNotNginxs(t *testing.T) {
	t.Parallel()

	for _, text := range []string{
		"", "\x00\x00", "nginx", "/usr/sbin/nginx\x00-c\x00/a", "vim\x00nginx: master process notes",
		"php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", "php-fpm: pool www",
		"gunicorn: master [app]", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", "nginx: ", "postgres: checkpointer process",
	} {
		_, ok := parseTitle([]byte(text), noComm)
		require.False(t, ok, "%q", text)
	}
}

func TestARenamedNginxIsKnownByItsFile(t *testing.T) {
	t.Parallel()

	got, ok := parseTitle(padded("shop: master process /opt/shop/nginx -c /a"), func() string { return "nginx" })
	require.True(t, ok)
	require.Equal(t, ProductNginx, got.product)
	require.True(t, got.master)
}

func TestATitleThatFillsAPageIsCut(t *testing.T) {
	t.Parallel()

	got, ok := parseTitle([]byte("nginx: master process nginx -c /"+strings.Repeat("x", pageSize)), noComm)
	require.True(t, ok)
	require.True(t, got.cut)
}

func TestArgumentsMakeACommandLineAgain(t *testing.T) {
	t.Parallel()

	require.Nil(t, Arguments{}.List())
	require.Equal(t, []string{"-p", "/p", "-c", "/c", "-e", "stderr", "-g", "daemon off;"},
		Arguments{Config: "/c", Prefix: "/p", Directives: "daemon off;", ErrorLog: "stderr"}.List())
}

// The title is ambiguous only where an argument holds what looks like an option.
func FuzzACommandLineIsFoundAgainInItsTitle(f *testing.F) {
	f.Add("/usr/sbin/nginx", "/etc/nginx/nginx.conf", "/srv/a b", "daemon off; worker_processes 2", "/var/log/nginx/error.log")
	f.Add("nginx", "a - b", "", "", "stderr")
	f.Add("x", "\xff", "é", "}", "]")

	f.Fuzz(func(t *testing.T, program, config, prefix, directives, errorLog string) {
		a := Arguments{Config: config, Prefix: prefix, ErrorLog: errorLog}
		if directives = strings.Trim(directives, " \x00"); directives != "" {
			a.Directives = directives + ";"
		}

		line := strings.Join(append([]string{program}, a.List()...), " ")

		got, ok := parseTitle(padded("nginx: master process "+line), noComm)
		if all := program + config + prefix + directives + errorLog; strings.Contains(all, "\x00") || len(line) > 4000 {
			return
		}

		require.True(t, ok)
		require.True(t, got.master)

		for _, text := range []string{program, config, prefix, directives, errorLog} {
			if strings.Contains(" "+text, " -") || strings.Trim(text, " ") != text {
				return
			}
		}

		require.Equal(t, a, parseCommand(got.command, "").arguments)
	})
}
