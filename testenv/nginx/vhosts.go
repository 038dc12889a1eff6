package nginx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Layout is how the virtual hosts lie in files.
type Layout int

const (
	// OneFile has all in vhosts.conf.
	OneFile Layout = iota
	// ConfD has each in a file of its own in conf.d.
	ConfD
	// SitesEnabled has each in a file in sites-available, and a symbolic link to it in sites-enabled.
	SitesEnabled
)

// Shape is what virtual hosts are like; the zero value has a name and a root.
type Shape struct {
	Layout Layout
	// Listen is each one's listen directive without that word, 127.0.0.1:8080 where empty.
	Listen string
	// OwnLogs gives each an access log in logs.
	OwnLogs bool
	// Locations gives each three, one by a regular expression with a FastCGI server that all share.
	Locations bool
	// OwnFastCGI gives each a FastCGI server of its own, which makes nginx's work grow with the square of their number.
	OwnFastCGI bool
	// TLS has each read the same certificate.
	TLS bool
}

const vhostListen = "127.0.0.1:8080"

// Vhosts writes n virtual hosts, of the names v000000.test and on, to files in dir, in place of those that are there,
// and returns the lines for Options.HTTP that include them.
func Vhosts(dir string, n int, s Shape) ([]string, error) {
	if s.Listen == "" {
		s.Listen = vhostListen
	}
	if s.TLS {
		if err := writeCertificate(dir); err != nil {
			return nil, err
		}
	}
	include, err := s.write(dir, n)
	if err == nil && s.OwnLogs {
		err = os.MkdirAll(filepath.Join(dir, "logs"), 0o755)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot write virtual hosts: %w; free space in %s", err, dir)
	}
	return []string{
		fmt.Sprintf("server_names_hash_max_size %d;", max(512, 4*n)), "server_names_hash_bucket_size 128;",
		directive("include", filepath.Join(dir, include)),
	}, nil
}

// write writes the files and returns the pattern that includes them.
func (s Shape) write(dir string, n int) (include string, err error) {
	if s.Layout == OneFile {
		var all strings.Builder
		for i := range n {
			all.WriteString(s.vhost(dir, i))
		}
		const name = "vhosts.conf"
		return name, os.WriteFile(filepath.Join(dir, name), []byte(all.String()), 0o644)
	}
	files, enabled := "conf.d", "sites-enabled"
	if s.Layout == SitesEnabled {
		files = "sites-available"
		err = makeEmpty(filepath.Join(dir, enabled))
	}
	err = errors.Join(err, makeEmpty(filepath.Join(dir, files)))
	for i := 0; i < n && err == nil; i++ {
		name := vhostName(i) + ".conf"
		err = os.WriteFile(filepath.Join(dir, files, name), []byte(s.vhost(dir, i)), 0o644)
		if err == nil && s.Layout == SitesEnabled {
			err = os.Symlink(filepath.Join("..", files, name), filepath.Join(dir, enabled, name))
		}
	}
	if s.Layout == SitesEnabled {
		return enabled + "/*", err
	}
	return files + "/*.conf", err
}

func (s Shape) vhost(dir string, i int) string {
	name := vhostName(i)
	lines := []string{
		"server {", "listen " + s.Listen + ";", "server_name " + name + " www." + name + ";",
		directive("root", filepath.Join(dir, "www", name)),
	}
	if s.TLS {
		lines = append(lines, directive("ssl_certificate", filepath.Join(dir, certificateName)), directive("ssl_certificate_key", filepath.Join(dir, keyName)))
	}
	if s.OwnLogs {
		lines = append(lines, directive("access_log", filepath.Join(dir, "logs", name+".log")))
	}
	socket := "php"
	if s.OwnFastCGI {
		socket = name
	}
	if s.Locations {
		lines = append(lines, "location / { try_files $uri $uri/ =404; }", "location = /favicon.ico { access_log off; }")
	}
	if s.Locations || s.OwnFastCGI {
		lines = append(lines, "location ~ \\.php$ { "+directive("fastcgi_pass", "unix:"+filepath.Join(dir, socket+".sock"))+" }")
	}
	return strings.Join(append(lines, "}"), "\n") + "\n"
}

func makeEmpty(dir string) error { return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o755)) }

func vhostName(i int) string { return fmt.Sprintf("v%06d.test", i) }
