package wordpress

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"zabbix-agent2-plugin-hosting/testenv/program"
)

// phpExtensions are in the order in which they need each other.
var phpExtensions = [...]string{"mysqlnd", "mysqli", "mbstring", "tokenizer", "ctype", "iconv", "xml", "dom", "simplexml"}

func (s *Site) phpSocket() string { return filepath.Join(s.dir, "php.sock") }

// phpIni replaces all of the machine's configuration of PHP. What it prepends puts the site's own directory in the place of the unpacked one,
// which PHP finds behind the symbolic links.
func (s *Site) phpIni() string {
	lines := []string{
		fmt.Sprintf("extension_dir=%q", s.packages.programs.Path(phpModules)),
		"zend_extension=opcache",
		"sendmail_path=/bin/true",
		fmt.Sprintf("auto_prepend_file=%q", filepath.Join(s.dir, "prepend.php")),
	}
	for _, extension := range phpExtensions {
		lines = append(lines, "extension="+extension)
	}
	return strings.Join(lines, "\n") + "\n"
}

func (s *Site) fpmConf() string {
	lines := []string{
		"[global]", "error_log=" + filepath.Join(s.dir, "php.log"), "daemonize=no",
		"[www]", "listen=" + s.phpSocket(), "pm=static", "pm.max_children=2", "catch_workers_output=yes",
	}
	if os.Geteuid() == 0 {
		lines = append(lines, "user=root")
	}
	return strings.Join(lines, "\n") + "\n"
}

// StartPHP starts php-fpm and returns when it can be connected to.
func (s *Site) StartPHP() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.php.start(func() (*program.Process, error) {
		arguments := []string{"--nodaemonize", "--php-ini", filepath.Join(s.dir, "php.ini"), "--fpm-config", filepath.Join(s.dir, "fpm.conf")}
		if os.Geteuid() == 0 {
			arguments = append(arguments, "--allow-to-run-as-root")
		}
		command := s.packages.programs.Command(phpProgram, arguments...)
		// The machine's own PHP may have extensions switched on that this one lacks.
		command.Env = append(command.Env, "PHP_INI_SCAN_DIR=")
		return program.Run(command, filepath.Join(s.dir, "php.out"))
	}, func() bool { return answers(s.phpSocket()) })
}

// StopPHP ends php-fpm.
func (s *Site) StopPHP() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.php.stop()
}
