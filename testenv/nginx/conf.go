package nginx

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Options describe one nginx. All may be left out.
//
// In every text of a configuration {dir} stands for the directory of this nginx, {etc} for that of Debian's files such as
// mime.types, {modules} for that of the modules, {port}, {port2} and {port3} for its ports, {reuseport} for that parameter
// where ReusePort is set, and {main} and {http} for what those contexts need so that all stays in the directory.
type Options struct {
	// Suite is where the program comes from, Bookworm where empty. It cannot be changed once nginx is prepared, nor can OwnProgram and Daemon.
	Suite Suite
	// OwnProgram has nginx run a copy of the program, at Program(), which may be removed or replaced.
	OwnProgram bool
	// Daemon has the master leave its parent, as services do.
	Daemon bool

	// Root is the directory of the files that are served, in which index.php or index.html answers for a directory.
	Root string
	// FastCGI is the unix socket of the server that runs all names that end in .php; names without a file go to index.php then.
	FastCGI string
	// Server holds further directives of the server block, such as `location = /x { return 204; }`.
	Server []string

	// Workers is how many there are, 1 where 0.
	Workers int
	// User and group of the workers where this process is root, such as www-data; root where empty.
	User string
	// ReusePort gives each worker sockets of its own.
	ReusePort bool
	// IPv6 has nginx listen on {port} of ::1 too.
	IPv6 bool
	// TLS has nginx listen on {port2} of 127.0.0.1 too, with TLS and a certificate of its own, {dir}/tls.pem.
	TLS bool
	// Unix has nginx listen on the socket {dir}/http.sock too.
	Unix bool
	// Stream holds the directives of the stream block, such as AnswerUDP.
	Stream []string
	// Main and HTTP hold further directives of the main context and the http block.
	Main, HTTP []string

	// Whole is the whole configuration, which the fields above from Root on do not change. It must hold {main}, and {http} in its http block.
	Whole string
}

// Servers of the stream block, which answer all that they get with Answer.
const (
	AnswerTCP = "server { listen 127.0.0.1:{port3} {reuseport}; return " + Answer + "; }"
	AnswerUDP = "server { listen 127.0.0.1:{port3} udp {reuseport}; return " + Answer + "; }"
	Answer    = "answer"
)

const (
	logName         = "error.log"
	confName        = "nginx.conf"
	pidName         = "nginx.pid"
	socketName      = "http.sock"
	certificateName = "tls.pem"
	keyName         = "tls.key"
	// generationPath answers which configuration is at work, so that a reload can be waited for.
	generationPath = "/.testenv-generation"
)

// conf is the whole configuration: everything that nginx would write elsewhere is in its directory.
func (n *Nginx) conf(o Options) string {
	text := o.Whole
	if text == "" {
		text = strings.Join(append(append(o.head(), o.http(n.generation)...), o.stream()...), "\n") + "\n"
	}
	reuseport := ""
	if o.ReusePort {
		reuseport = "reuseport"
	}
	pairs := []string{
		"{main}", o.main(n.dir), "{http}", inHTTP(n.dir), "{dir}", n.dir, "{etc}", n.build.etc, "{modules}", n.build.Modules, "{reuseport}", reuseport,
		"{port}", strconv.Itoa(n.ports[0]),
	}
	for i, port := range n.ports[1:] {
		pairs = append(pairs, fmt.Sprintf("{port%d}", i+2), strconv.Itoa(port))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// main is what {main} stands for.
func (o Options) main(dir string) string {
	daemon := "daemon off;"
	if o.Daemon {
		daemon = "daemon on;"
	}
	lines := []string{
		daemon, directive("pid", filepath.Join(dir, pidName)), directive("lock_file", filepath.Join(dir, "nginx.lock")),
		fmt.Sprintf("error_log %q notice;", filepath.Join(dir, logName)),
	}
	if os.Geteuid() == 0 {
		user := o.User
		if user == "" {
			// The workers must read what belongs to root.
			user = "root"
		}
		lines = append(lines, "user "+user+";")
	}
	return strings.Join(lines, "\n")
}

// inHTTP is what {http} stands for.
func inHTTP(dir string) string {
	lines := []string{"access_log off;"}
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		lines = append(lines, directive(kind+"_temp_path", filepath.Join(dir, kind)))
	}
	return strings.Join(lines, "\n")
}

func (o Options) head() []string {
	lines := []string{"{main}", fmt.Sprintf("worker_processes %d;", max(1, o.Workers))}
	if len(o.Stream) > 0 {
		lines = append(lines, directive("load_module", "{modules}/ngx_stream_module.so"))
	}
	return append(append(lines, o.Main...), "events { worker_connections 512; }")
}

func (o Options) http(generation int) []string {
	lines := []string{"http {", "{http}", directive("include", "{etc}/mime.types")}
	lines = append(append(lines, o.HTTP...), "server {", "listen 127.0.0.1:{port} default_server {reuseport};")
	if o.IPv6 {
		lines = append(lines, "listen [::1]:{port} {reuseport};")
	}
	if o.TLS {
		lines = append(lines, "listen 127.0.0.1:{port2} ssl {reuseport};",
			directive("ssl_certificate", "{dir}/"+certificateName), directive("ssl_certificate_key", "{dir}/"+keyName))
	}
	if o.Unix {
		lines = append(lines, directive("listen", "unix:{dir}/"+socketName))
	}
	lines = append(lines, fmt.Sprintf("location = %s { return 200 %d; }", generationPath, generation))
	if o.Root != "" {
		lines = append(lines, directive("root", o.Root), "index index.php index.html;")
	}
	if o.FastCGI != "" {
		lines = append(lines,
			"location / { try_files $uri $uri/ /index.php$is_args$args; }",
			"location ~ \\.php$ { "+directive("include", "{etc}/fastcgi.conf")+" "+directive("fastcgi_pass", "unix:"+o.FastCGI)+" }")
	}
	return append(append(lines, o.Server...), "}", "}")
}

func (o Options) stream() []string {
	if len(o.Stream) == 0 {
		return nil
	}
	return append(append([]string{"stream {"}, o.Stream...), "}")
}

// directive is a directive of one path, quoted, as it may hold blanks.
func directive(name, path string) string { return fmt.Sprintf("%s %q;", name, path) }
