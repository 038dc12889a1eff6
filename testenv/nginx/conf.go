package nginx

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Options describe one nginx. All may be left out.
type Options struct {
	// Root is the directory of the files that are served, in which index.php or index.html answers for a directory.
	Root string
	// FastCGI is the unix socket of the server that runs all names that end in .php; names without a file go to index.php then.
	FastCGI string
	// Server holds further directives of the server block, such as `location = /x { return 204; }`.
	Server []string
}

const (
	logName  = "error.log"
	confName = "nginx.conf"
	// generationPath answers which configuration is at work, so that a reload can be waited for.
	generationPath = "/.testenv-generation"
)

// conf is the whole configuration: everything that nginx would write elsewhere is in dir, everything it reads in etc.
func (o Options) conf(dir, etc string, port, generation int) string {
	lines := []string{
		"daemon off;", "worker_processes 1;",
		directive("pid", filepath.Join(dir, "nginx.pid")),
		fmt.Sprintf("error_log %q notice;", filepath.Join(dir, logName)),
	}
	if os.Geteuid() == 0 {
		// The workers must read what belongs to root.
		lines = append(lines, "user root;")
	}
	lines = append(lines, "events { worker_connections 512; }", "http {", "access_log off;", directive("include", filepath.Join(etc, "mime.types")))
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		lines = append(lines, directive(kind+"_temp_path", filepath.Join(dir, kind)))
	}
	lines = append(lines, "server {", fmt.Sprintf("listen 127.0.0.1:%d;", port), fmt.Sprintf("location = %s { return 200 %d; }", generationPath, generation))
	if o.Root != "" {
		lines = append(lines, directive("root", o.Root), "index index.php index.html;")
	}
	if o.FastCGI != "" {
		lines = append(lines,
			"location / { try_files $uri $uri/ /index.php$is_args$args; }",
			"location ~ \\.php$ { "+directive("include", filepath.Join(etc, "fastcgi.conf"))+" "+directive("fastcgi_pass", "unix:"+o.FastCGI)+" }")
	}
	return strings.Join(append(append(lines, o.Server...), "}", "}"), "\n") + "\n"
}

// directive is a directive of one path, quoted, as it may hold blanks.
func directive(name, path string) string { return fmt.Sprintf("%s %q;", name, path) }
