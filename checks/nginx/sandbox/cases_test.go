package sandbox

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// verdictCase is a configuration, and a part of what nginx says of it.
type verdictCase struct {
	name string
	// main and http are the directives of these contexts.
	main, http string
	arrange    func(*testing.T, *prefix)
	says       string
	// root and user are said instead where they are set, by who tests.
	root, user string
}

const (
	good   = "test is successful"
	server = "server { listen 127.0.0.1:28080; root {dir}; }"
)

func listens(parameters ...string) string {
	var all strings.Builder
	for _, listen := range parameters {
		fmt.Fprintf(&all, "server { listen %s; }\n", listen)
	}
	return all.String()
}

// measuredCases are the 27 with which the techniques were compared on ten versions of nginx.
func measuredCases() []verdictCase {
	return []verdictCase{
		{name: "ok", http: server, says: good},
		{name: "a missing semicolon", http: "server { listen 127.0.0.1:28080 root /; }", says: `invalid parameter "root"`},
		{name: "a missing certificate", http: "server { listen 127.0.0.1:28443 ssl; ssl_certificate {dir}/none.pem; ssl_certificate_key {dir}/none.pem; }",
			says: `cannot load certificate "{dir}/none.pem"`},
		{name: "an unknown directive", http: "no_such_directive;", says: `unknown directive "no_such_directive"`},
		{name: "a host of proxy_pass that is not found", http: "server { listen 127.0.0.1:28080; location / { proxy_pass http://none.invalid; } }",
			says: `host not found in upstream "none.invalid"`},
		{name: "a host of upstream that is not found", http: "upstream u { server none.invalid; }", says: `host not found in upstream "none.invalid"`},
		{name: "a host of upstream that is found", http: "upstream u { server " + existingName() + "; }", says: good},
		{name: "a name in /etc/hosts", http: "upstream u { server localhost:1; }", says: good},
		{name: "an IPv4 address of another host", http: listens(foreign4 + ":28080"), says: "bind() to " + foreign4 + ":28080 failed (99: "},
		{name: "an IPv6 address of another host", http: listens("[" + foreign6 + "]:28080"), says: "bind() to [" + foreign6 + "]:28080 failed (99: "},
		{name: "addresses of this host", http: listens(ownAddress()+":28080", "[::1]:28080"), says: good},
		{name: "all addresses", http: listens("28080", "[::]:28080"), says: good},
		{name: "duplicate listen options", http: listens("28080 backlog=1", "28080 backlog=2"), says: "duplicate listen options for 0.0.0.0:28080"},
		{name: "a duplicate listen", http: "server { listen 28080; listen 28080; }", says: "a duplicate listen 0.0.0.0:28080"},
		{name: "a pattern that includes nothing", http: "include {dir}/none/*.conf;", says: good},
		{name: "a missing included file", http: "include {dir}/none.conf;", says: `open() "{dir}/none.conf" failed (2: No such file`},
		{name: "a log in a directory that is missing", http: "access_log {dir}/none/access.log;", says: `open() "{dir}/none/access.log" failed (2: `},
		{name: "a unix socket", http: listens("unix:{dir}/socket"), says: good},
		{name: "a unix socket in a directory that is missing", http: listens("unix:{dir}/none/socket"), says: "bind() to unix:{dir}/none/socket failed (2: "},
		{name: "an unknown user", main: "user nosuchuser;", says: good, root: `getpwnam("nosuchuser") failed`},
		{name: "a new cache directory", http: "proxy_cache_path {dir}/cache keys_zone=z:1m;", says: good},
		{name: "a cache whose parent is missing", http: "proxy_cache_path {dir}/none/cache keys_zone=z:1m;", says: `mkdir() "{dir}/none/cache" failed (2: `},
		{name: "UDP", main: "{stream}stream { server { listen 127.0.0.1:28053 udp; return x; } server { listen 127.0.0.1:28054 udp reuseport; return x; } }", says: good},
		{name: "a bad parameter of listen", http: listens("28080 nonsense"), says: `invalid parameter "nonsense"`},
		{name: "a zone that is too small", http: "proxy_cache_path {dir}/cache keys_zone=z:1k;", says: `keys zone "keys_zone=z:1k" is too small`},
		{name: "a pid file in a directory that is missing", main: "pid {dir}/none/nginx.pid;", says: `open() "{dir}/none/nginx.pid" failed (2: `},
		{name: "TLS", http: "server { listen 127.0.0.1:28443 ssl; ssl_certificate {dir}/tls.pem; ssl_certificate_key {dir}/tls.pem; }", arrange: certificate, says: good},
	}
}

// furtherCases are what those leave out.
func furtherCases() []verdictCase {
	return []verdictCase{
		{name: "a privileged port", http: listens("127.0.0.1:81", "[::1]:81"), says: "failed (13: Permission denied)", root: good},
		{name: "an address of another host with a privileged port", http: listens(foreign4 + ":81"), says: "bind() to " + foreign4 + ":81 failed (99: "},
		{name: "an IPv6 one", http: listens("[" + foreign6 + "]:81"), says: "failed (13: Permission denied)", root: "failed (99: "},
		{name: "an error in an included file", http: "include sites/*;", arrange: file("sites/a.conf", "server {\nbad;\n}"), says: `unknown directive "bad" in {dir}/sites/a.conf:2`},
		{name: "included files by relative and symbolic links", http: "include enabled/*;", arrange: linked, says: good},
		{name: "logs on the standard streams", main: "error_log /dev/stderr;", http: "access_log /dev/stdout;" + listens(foreign4+":28080"), says: "failed (99: "},
		{name: "logs that are links to the standard streams", main: "error_log {dir}/err;", http: "access_log {dir}/out;" + listens(foreign4+":28080"), arrange: links("/dev/stderr", "err", "/proc/self/fd/1", "out"), says: "failed (99: "},
		{name: "a log that is a directory", http: "access_log {dir}/d;", arrange: directory("d", 0o755), says: `open() "{dir}/d" failed (21: Is a directory)`},
		{name: "a log below a file", http: "access_log {dir}/nginx.conf/access.log;", says: "failed (20: Not a directory)"},
		{name: "a log whose link leads nowhere", http: "access_log {dir}/link;", arrange: links("sub/new.log", "link", "", "sub/"), says: good},
		{name: "a log whose link leads to a directory that is missing", http: "access_log {dir}/link;", arrange: links("none/new.log", "link"), says: `open() "{dir}/link" failed (2: `},
		{name: "a log that is a loop of links", http: "access_log {dir}/a;", arrange: links("b", "a", "a", "b"), says: "failed (40: Too many levels of symbolic links)"},
		{name: "a log whose name is too long", http: "access_log {dir}/" + strings.Repeat("x", 300) + ";", says: "failed (36: File name too long)"},
		{name: "a log that nobody may write", http: "access_log {dir}/kept.log;", arrange: guarded("kept.log"), says: good, user: "failed (13: Permission denied)"},
		{name: "a log in a directory that nobody may write to", http: "access_log {dir}/d/access.log;", arrange: directory("d", 0o555), says: good, user: "failed (13: Permission denied)"},
		{name: "a log in a directory that nobody may look into", http: "access_log {dir}/d/access.log;", arrange: directory("d", 0o600), says: good, user: "failed (13: Permission denied)"},
		{name: "a log of another user", http: "access_log {dir}/theirs/kept.log;", arrange: theirs, says: good},
		{name: "a log in a directory of another user", http: "access_log {dir}/theirs/new.log;", arrange: theirs, says: good},
		{name: "a log where nobody but another user may look", http: "access_log {dir}/theirs/hidden/new.log;", arrange: theirs, says: good},
		{name: "a log that is missing where nobody but another user may look", http: "access_log {dir}/theirs/hidden/none/new.log;", arrange: theirs, says: "failed (2: "},
		{name: "a cache in a directory of another user", http: "proxy_cache_path {dir}/theirs/cache keys_zone=z:1m;", arrange: theirs, says: good},
		{name: "a unix socket in a directory of another user", http: listens("unix:{dir}/theirs/socket"), arrange: theirs, says: good},
		{name: "a key of another user", http: "server { listen 28443 ssl; ssl_certificate {dir}/tls.pem; ssl_certificate_key {dir}/theirs/key.pem; }", arrange: theirKey, says: good},
		{name: "temporary directories of another user", main: "user daemon;", arrange: theirTemporary, says: good},
		{name: "a log where no files can be made", http: "access_log /sys/kernel/none.log;", says: "failed (13: Permission denied)"},
		{name: "a cache where no directories can be made", http: "proxy_cache_path /proc/cache keys_zone=z:1m;", says: "failed ("},
		{name: "a log on a file system that is read only", http: "access_log {dir}/../readonly/access.log;", says: readOnlyError()},
		{name: "a cache on one", http: "proxy_cache_path {dir}/../readonly/cache keys_zone=z:1m;", says: readOnlyError()},
		{name: "a log that can only grow", http: "access_log {dir}/kept.log;", arrange: flagged("kept.log", unix.STATX_ATTR_APPEND), says: good},
		{name: "a pid file that can only grow", arrange: flagged("nginx.pid", unix.STATX_ATTR_APPEND), says: ""},
		{name: "a log that cannot change", http: "access_log {dir}/kept.log;", arrange: flagged("kept.log", unix.STATX_ATTR_IMMUTABLE), says: ""},
		{name: "a log of another one in a directory like /tmp", http: "access_log {dir}/t/kept.log;", arrange: others("kept.log"), says: ""},
		{name: "another one's link in a directory like /tmp", http: "access_log {dir}/t/link;", arrange: others("link"), says: ""},
		{name: "a log on a device", http: "access_log /dev/null;", says: good},
		{name: "a log on the terminal", http: "access_log /dev/tty;", says: "failed (6: "},
		{name: "the same log by two names", http: "access_log {dir}/new.log; server { listen 28080; access_log {dir}/./sub/../new.log; }", arrange: directory("sub", 0o755), says: good},
		{name: "a key that only root may read", http: "server { listen 28443 ssl; ssl_certificate {dir}/tls.pem; ssl_certificate_key {dir}/key.pem; }", arrange: secret, says: good, user: "Permission denied"},
		{name: "a key with a password", http: "server { listen 28443 ssl; ssl_certificate {dir}/tls.pem; ssl_certificate_key {dir}/tls.pem; ssl_password_file {dir}/passwords; }", arrange: passwords, says: good},
		{name: "a missing file of passwords", http: "server { listen 28443 ssl; ssl_password_file {dir}/none; }", says: `open() "{dir}/none" failed (2: `},
		{name: "temporary directories in one that is missing", http: "client_body_temp_path {dir}/none/body;", says: "duplicate"},
		{name: "a cache in a cache", http: "proxy_cache_path {dir}/cache keys_zone=a:1m; proxy_cache_path {dir}/cache/inner keys_zone=b:1m;", says: good},
		{name: "a cache where a file is", http: "proxy_cache_path {dir}/nginx.conf keys_zone=z:1m;", says: ""},
		{name: "a unix socket that exists", http: listens("unix:{dir}/socket"), arrange: stale, says: good},
		{name: "a unix socket twice", http: listens("unix:{dir}/socket", "unix:{dir}/./socket"), says: good},
		{name: "a unix socket below a file", http: listens("unix:{dir}/nginx.conf/socket"), says: "failed (20: Not a directory)"},
		{name: "a unix socket whose name is too long", http: listens("unix:{dir}/" + strings.Repeat("x", 120)), says: "too long path in the unix domain socket"},
		{name: "a geo and a map from files", http: "geo $a { include {dir}/geo; } map $a $b { include {dir}/map; }", arrange: mapFiles, says: good},
		{name: "a missing map", http: "map $uri $b { include {dir}/none; }", says: `open() "{dir}/none" failed (2: `},
		{name: "a resolver", http: "resolver localhost 127.0.0.1;", says: good},
		{name: "a resolver that is not found", http: "resolver none.invalid;", says: `host not found in resolver "none.invalid"`},
		{name: "reuseport with several workers", main: "worker_processes 4;", http: listens("127.0.0.1:28080 reuseport", "[::1]:28080 reuseport"), says: good},
		{name: "IPv6 and IPv4 on one port", http: listens("28080", "[::]:28080 ipv6only=off"), says: ""},
		{name: "300 hosts with logs of their own", http: hosts(300), says: good},
		{name: "a missing module", main: "load_module {dir}/none.so;", says: "cannot open shared object file"},
		{name: "another user", main: "user daemon daemon;", says: good},
		{name: "a syslog that is not there", main: "error_log syslog:server=unix:{dir}/none;", http: listens(foreign4 + ":28080"), says: "failed (99: "},
		{name: "a syslog", main: "error_log syslog:server=unix:{dir}/log;", http: listens(foreign4 + ":28080"), arrange: syslog, says: "failed (99: "},
		{name: "a syslog by UDP", main: "error_log syslog:server=127.0.0.1:9;", http: listens(foreign4 + ":28080"), says: "failed (99: "},
		{name: "a syslog that nobody reads", main: "error_log syslog:server=unix:{dir}/socket;", http: listens(foreign4 + ":28080"), arrange: stale, says: "failed (99: "},
		{name: "an empty configuration file", http: server, arrange: func(t *testing.T, p *prefix) { p.write(t, "nginx.conf", "") }, says: "no \"events\" section"},
		{name: "no configuration file", http: server, arrange: func(t *testing.T, p *prefix) { require.NoError(t, os.Remove(p.path("nginx.conf"))) }, says: "failed (2: "},
	}
}

func existingName() string {
	if isPrivate() {
		return "site.test"
	}
	return "localhost"
}

func readOnlyError() string {
	if isPrivate() {
		return "failed (30: Read-only file system)"
	}
	return "failed (2: "
}

func ownAddress() string {
	if isPrivate() {
		return hostAddress4
	}
	return "127.0.0.2"
}

func hosts(count int) string {
	var all strings.Builder
	all.WriteString("server_names_hash_max_size 4096; server_names_hash_bucket_size 128;\n")
	for i := range count {
		fmt.Fprintf(&all, "server { listen 127.0.0.1:28080; server_name h%d.test; access_log {dir}/h%d.log; }\n", i, i)
	}
	return all.String()
}

func file(name, content string) func(*testing.T, *prefix) {
	return func(t *testing.T, p *prefix) { p.write(t, name, content) }
}

// links makes symbolic links of pairs of target and name. A pair without target makes a directory.
func links(pairs ...string) func(*testing.T, *prefix) {
	return func(t *testing.T, p *prefix) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == "" {
				require.NoError(t, os.Mkdir(p.path(pairs[i+1]), 0o755))
				continue
			}
			require.NoError(t, os.Symlink(pairs[i], p.path(pairs[i+1])))
		}
	}
}

func directory(name string, mode os.FileMode) func(*testing.T, *prefix) {
	return func(t *testing.T, p *prefix) {
		require.NoError(t, os.Mkdir(p.path(name), 0o755))
		require.NoError(t, os.Chmod(p.path(name), mode))
		t.Cleanup(func() { _ = os.Chmod(p.path(name), 0o755) })
	}
}

func guarded(name string) func(*testing.T, *prefix) {
	return func(t *testing.T, p *prefix) {
		p.write(t, name, "lines")
		require.NoError(t, os.Chmod(p.path(name), 0o400))
	}
}

// flagged sets attributes (chattr(1)), where the file system has them and the user may. The flags of that call are those of statx(2).
func flagged(name string, flags int) func(*testing.T, *prefix) {
	return func(t *testing.T, p *prefix) {
		p.write(t, name, "lines")
		file, err := os.Open(p.path(name))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, file.Close()) })
		before, err := unix.IoctlGetUint32(int(file.Fd()), unix.FS_IOC_GETFLAGS)
		if err == nil && unix.IoctlSetPointerInt(int(file.Fd()), unix.FS_IOC_SETFLAGS, int(before)|flags) == nil {
			t.Cleanup(func() {
				require.NoError(t, unix.IoctlSetPointerInt(int(file.Fd()), unix.FS_IOC_SETFLAGS, int(before)))
			})
		}
	}
}

// others makes a file and a link that root gives to others, in a directory where all may write.
func others(name string) func(*testing.T, *prefix) {
	return func(t *testing.T, p *prefix) {
		directory("t", 0o777|os.ModeSticky)(t, p)
		p.write(t, "elsewhere", "lines")
		if name == "link" {
			require.NoError(t, os.Symlink(p.path("elsewhere"), p.path("t/link")))
		} else {
			p.write(t, "t/"+name, "lines")
		}
		require.NoError(t, os.Chmod(p.path("t"), 0o777|os.ModeSticky))
		if os.Geteuid() == 0 {
			const one, another = 1000, 1001
			require.NoError(t, os.Chown(p.path("t"), one, one))
			require.NoError(t, os.Lchown(p.path("t/"+name), another, another))
		}
	}
}

// theirs makes a directory with files of another user, whom only root can have files of.
func theirs(t *testing.T, p *prefix) {
	directory("theirs", 0o755)(t, p)
	p.write(t, "theirs/kept.log", "lines")
	require.NoError(t, os.Chmod(p.path("theirs/kept.log"), 0o600))
	directory("theirs/hidden", 0o700)(t, p)
	giveAway(t, p, "theirs/hidden", "theirs/kept.log", "theirs")
}

func theirKey(t *testing.T, p *prefix) {
	theirs(t, p)
	certificate(t, p)
	text, err := os.ReadFile(p.path("tls.pem"))
	require.NoError(t, err)
	p.write(t, "theirs/key.pem", string(text))
	require.NoError(t, os.Chmod(p.path("theirs/key.pem"), 0o600))
	giveAway(t, p, "theirs/key.pem")
}

func theirTemporary(t *testing.T, p *prefix) {
	for _, name := range []string{"client_body", "proxy"} {
		directory(name, 0o500)(t, p)
		giveAway(t, p, name)
	}
}

func giveAway(t *testing.T, p *prefix, names ...string) {
	t.Helper()
	const another = 1001
	for _, name := range names {
		if os.Geteuid() == 0 {
			require.NoError(t, os.Lchown(p.path(name), another, another))
		}
	}
}

func linked(t *testing.T, p *prefix) {
	p.write(t, "available/a.conf", "server { listen 28080; include parts/*.inc; }")
	p.write(t, "parts/b.inc", "server_name b.test;")
	links("", "enabled", "../available/a.conf", "enabled/a.conf")(t, p)
}

func stale(t *testing.T, p *prefix) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	require.NoError(t, err)
	require.NoError(t, unix.Bind(fd, &unix.SockaddrUnix{Name: p.path("socket")}))
	require.NoError(t, unix.Close(fd))
}

// syslog is one that reads nothing.
func syslog(t *testing.T, p *prefix) {
	log, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: p.path("log")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
}

func mapFiles(t *testing.T, p *prefix) {
	p.write(t, "geo", "127.0.0.0/8 local;\n")
	p.write(t, "map", "local yes;\ndefault no;\n")
}
