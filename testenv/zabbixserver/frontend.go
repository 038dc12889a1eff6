package zabbixserver

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/program"
)

// phpExtensions are in the order in which they need each other.
var phpExtensions = [...]string{"mbstring", "ctype", "bcmath", "pgsql", "gd", "gettext", "sockets", "iconv", "xml", "dom", "simplexml", "xmlreader", "xmlwriter"}

const (
	apiPath     = "/api_jsonrpc.php"
	phpErrors   = "php.errors"
	zoneGiven   = "/usr/share/zoneinfo/UTC"
	localeDir   = "locale"
	localeGiven = "/usr/lib/locale/C.utf8"
	// localeWanted is the frontend's default language; where the C library lacks it, every page says so in red.
	localeWanted = "en_US.utf8"
)

// phpIni replaces all of the machine's configuration of PHP.
func phpIni(php *program.Bundle, dir string) string {
	lines := []string{
		fmt.Sprintf("extension_dir=%q", php.Path(phpModules)), "zend_extension=opcache", "opcache.enable_cli=1", "opcache.file_update_protection=0",
		fmt.Sprintf("auto_prepend_file=%q", filepath.Join(dir, "prepend.php")),
		fmt.Sprintf("error_log=%q", filepath.Join(dir, phpErrors)), "error_reporting=E_ALL", "log_errors=1", "display_errors=0",
		fmt.Sprintf("session.save_path=%q", dir), fmt.Sprintf("sys_temp_dir=%q", dir), fmt.Sprintf("upload_tmp_dir=%q", dir),
		"post_max_size=32M", "upload_max_filesize=16M", "memory_limit=512M", "max_execution_time=300", "max_input_time=300", "date.timezone=UTC", "sendmail_path=/bin/true",
	}
	for _, extension := range phpExtensions {
		lines = append(lines, "extension="+extension)
	}
	return strings.Join(lines, "\n") + "\n"
}

// frontendConf is the frontend's zabbix.conf.php.
func frontendConf(dir string, serverPort int, name string) string {
	return `<?php
$DB['TYPE'] = 'POSTGRESQL';
$DB['SERVER'] = '` + dir + `';
$DB['PORT'] = '0';
$DB['DATABASE'] = '` + database + `';
$DB['USER'] = '` + owner + `';
$DB['PASSWORD'] = $DB['SCHEMA'] = $DB['KEY_FILE'] = $DB['CERT_FILE'] = $DB['CA_FILE'] = $DB['CIPHER_LIST'] = '';
$DB['VAULT'] = $DB['VAULT_URL'] = $DB['VAULT_DB_PATH'] = $DB['VAULT_TOKEN'] = $DB['VAULT_PREFIX'] = '';
$DB['ENCRYPTION'] = $DB['VERIFY_HOST'] = false;
$DB['DOUBLE_IEEE754'] = true;
$ZBX_SERVER = '127.0.0.1';
$ZBX_SERVER_PORT = '` + fmt.Sprint(serverPort) + `';
$ZBX_SERVER_NAME = '` + name + `';
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
`
}

// startFrontend starts PHP's own web server with the frontend, and returns when its API answers. It serves one request at a time, as it does without workers,
// which would outlive it.
func (s *Server) startFrontend(port int) (*daemon, error) {
	// Debian's PHP has no list of time zones of its own.
	if _, err := os.Stat(zoneGiven); err != nil {
		return nil, fmt.Errorf("cannot run PHP: %w; install the package tzdata", err)
	}
	if err := s.makeLocale(); err != nil {
		return nil, err
	}
	err := program.WriteFiles(s.dir, map[string]string{
		"php.ini":           phpIni(s.packages.php, s.dir),
		"prepend.php":       fmt.Sprintf("<?php define('%s', '%s/frontend.conf.php');\n", configLocation, s.dir),
		"frontend.conf.php": frontendConf(s.dir, s.zabbix.port, s.options.Name),
	})
	if err != nil {
		return nil, err
	}
	run := func(port int) (*program.Process, error) {
		command := ordinary(s.packages.php.Command(phpProgram, "-c", filepath.Join(s.dir, "php.ini"), "-S", address(port), "-t", s.packages.zabbix.Path(frontendDir)))
		// The machine's own PHP may have extensions switched on that this one lacks.
		command.Env = append(command.Env, "PHP_INI_SCAN_DIR=", "LOCPATH="+filepath.Join(s.dir, localeDir), "PHP_CLI_SERVER_WORKERS=")
		command.SysProcAttr.Pdeathsig = syscall.SIGKILL
		return program.Run(command, filepath.Join(s.dir, "frontend.log"))
	}
	d, err := s.onPort("frontend", port, run, apiAnswers)
	if said := s.FrontendErrors(); err != nil && len(said) > 0 {
		err = fmt.Errorf("%w; PHP says: %s", err, said[0])
	}
	return d, err
}

// makeLocale gives the C library's own locale the name of the one that the frontend wants.
func (s *Server) makeLocale() error {
	for _, name := range [...]string{localeWanted, "C.utf8"} {
		path := filepath.Join(s.dir, localeDir, name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := os.CopyFS(path, os.DirFS(localeGiven)); err != nil {
			return fmt.Errorf("cannot make a locale for the frontend: %w; install the package libc-bin", err)
		}
	}
	return nil
}

// apiAnswers tells whether the API behind a port works, as far as it can without a login.
func apiAnswers(port int) bool {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	question := `{"jsonrpc":"2.0","method":"apiinfo.version","params":[],"id":1}`
	response, err := client.Post("http://"+address(port)+apiPath, "application/json-rpc", strings.NewReader(question))
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}
