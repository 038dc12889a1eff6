package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// version is three numbers.
type version []int

func parseVersion(text string) (version, error) {
	v := make(version, 3)
	// What is scanned prints as what was given, or it was not a version.
	_, err := fmt.Sscanf(text, "%d.%d.%d", &v[0], &v[1], &v[2])
	if err != nil || v.String() != text {
		return nil, fmt.Errorf("cannot be the nginx of version %q; put this program in a directory of a name such as 1.13.0", text)
	}
	return v, nil
}

func (v version) String() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint([]int(v)), " ", "."), "[]")
}

func (v version) from(numbers ...int) bool { return slices.Compare(v, numbers) >= 0 }

// joinsGroups tells whether a test sets SO_REUSEPORT: since reuseport came with 1.9.1, until it was mended in 1.12.2 and 1.13.4 (ticket #1300).
func (v version) joinsGroups() bool {
	return v.from(1, 9, 1) && !v.from(1, 12, 2) || v.from(1, 13, 0) && !v.from(1, 13, 4)
}

// takesDatagrams tells whether a test sets SO_REUSEADDR on UDP sockets, until 1.21.1 (ticket #2187).
func (v version) takesDatagrams() bool { return !v.from(1, 21, 1) }

// clonesSockets tells whether a test opens a socket for each worker, until 1.21.1 (ticket #2188).
func (v version) clonesSockets() bool { return !v.from(1, 21, 1) }

// knowsLogOption tells whether there is the option -e.
func (v version) knowsLogOption() bool { return v.from(1, 19, 5) }

const configureArguments = "--prefix=/etc/nginx --sbin-path=/usr/sbin/nginx --modules-path=/usr/lib/nginx/modules " +
	"--conf-path=" + defaultConf + " --error-log-path=/var/log/nginx/error.log --http-log-path=/var/log/nginx/access.log " +
	"--pid-path=/var/run/nginx.pid --user=nginx --group=nginx --with-http_ssl_module --with-stream --with-stream_ssl_module"

func (v version) print(w io.Writer, build bool) {
	fmt.Fprintf(w, "nginx version: nginx/%s\n", v)
	if build {
		fmt.Fprintf(w, "built by gcc 6.3.0 20170516 (Debian 6.3.0-18) \nbuilt with OpenSSL 1.1.0f  25 May 2017\nTLS SNI support enabled\nconfigure arguments: %s\n", configureArguments)
	}
}
