package wordpress

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/nginx"
	"zabbix-agent2-plugin-hosting/testenv/program"
)

const (
	// Title is the site's, which its good page holds.
	Title = "Test site of the hosting plugin"

	startLimit   = 30 * time.Second
	installLimit = time.Minute
	confFile     = "wp-config.php"
)

// Site is a running WordPress with all that it needs. Its methods may be called from any goroutine.
type Site struct {
	packages packages
	dir      string
	nginx    *nginx.Nginx

	mu       sync.Mutex
	database service
	php      service
}

// service is a server that is started and stopped at will.
type service struct{ process *program.Process }

func (s *service) start(run func() (*program.Process, error), ready func() bool) error {
	if s.process != nil {
		return nil
	}
	process, err := run()
	if err != nil {
		return err
	}
	s.process = process
	if err := process.Await(startLimit, ready); err != nil {
		return errors.Join(err, s.stop())
	}
	return nil
}

func (s *service) stop() error {
	if s.process == nil {
		return nil
	}
	err := s.process.Stop()
	s.process = nil
	return err
}

// Start installs WordPress with an empty database and returns when its first page is there. The caller must call Stop.
func Start() (*Site, error) {
	unpacked, err := install()
	if err != nil {
		return nil, err
	}
	dir, err := program.Dir("wordpress")
	if err != nil {
		return nil, err
	}
	s := &Site{packages: unpacked, dir: dir}
	for _, step := range []func() error{s.writeFiles, s.linkFiles, s.makeDatabase, s.StartDatabase, s.StartPHP, s.startNginx, s.setUp} {
		if err := step(); err != nil {
			return nil, errors.Join(err, s.Stop())
		}
	}
	return s, nil
}

// StartT is Start for tests: all is stopped at the test's end.
func StartT(tb testing.TB) *Site {
	tb.Helper()
	s, err := Start()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// URL is the site's.
func (s *Site) URL() string { return s.nginx.URL() }

// Stop ends all and removes the site. It may be called again.
func (s *Site) Stop() error {
	var err error
	if s.nginx != nil {
		err = s.nginx.Stop()
	}
	return errors.Join(err, s.StopPHP(), s.StopDatabase(), os.RemoveAll(s.dir))
}

func (s *Site) root() string { return filepath.Join(s.dir, "site") }

func (s *Site) startNginx() error {
	var err error
	s.nginx, err = nginx.Start(nginx.Options{Root: s.root(), FastCGI: s.phpSocket()})
	return err
}

func (s *Site) writeFiles() error {
	return program.WriteFiles(s.dir, map[string]string{
		"php.ini":     s.phpIni(),
		"fpm.conf":    s.fpmConf(),
		"prepend.php": fmt.Sprintf("<?php define('ABSPATH', '%s/');\n", s.root()),
	})
}

// linkFiles makes the site's directory: WordPress as it was unpacked, with a configuration and a place for uploads of its own.
func (s *Site) linkFiles() error {
	unpacked := s.packages.files.Path(treeOfSite)
	entries, err := os.ReadDir(unpacked)
	if err != nil {
		return fmt.Errorf("cannot read WordPress's files: %w; remove build/%s, so that they are fetched again", err, filesName)
	}
	const content = "wp-content"
	links := []string{filepath.Join(content, "themes"), filepath.Join(content, "plugins")}
	for _, entry := range entries {
		if name := entry.Name(); name != confFile && name != content {
			links = append(links, name)
		}
	}
	err = os.MkdirAll(filepath.Join(s.root(), content), 0o755)
	for _, name := range links {
		if err == nil {
			err = os.Symlink(filepath.Join(unpacked, name), filepath.Join(s.root(), name))
		}
	}
	if err != nil {
		return fmt.Errorf("cannot make the site's directory: %w; free space in %s", err, os.TempDir())
	}
	return program.WriteFiles(s.root(), map[string]string{confFile: s.config()})
}

// config is the site's wp-config.php: it calls nobody and does no work by itself.
func (s *Site) config() string {
	return `<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:` + s.databaseSocket() + `');
define('DB_CHARSET', 'utf8mb4');
define('WP_HOME', 'http://' . $_SERVER['HTTP_HOST']);
define('WP_SITEURL', WP_HOME);
define('WP_DEFAULT_THEME', '` + theme + `');
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('DISABLE_WP_CRON', true);
$table_prefix = 'wp_';
require_once ABSPATH . 'wp-settings.php';
`
}

// setUp fills in WordPress's own installation form.
func (s *Site) setUp() error {
	const password = "a password of no worth 1"
	client := http.Client{Timeout: installLimit, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.PostForm(s.URL()+"wp-admin/install.php?step=2", url.Values{
		"weblog_title": {Title}, "user_name": {"admin"}, "admin_password": {password}, "admin_password2": {password},
		"admin_email": {"admin@site.test"}, "blog_public": {"0"},
	})
	if err != nil {
		return fmt.Errorf("cannot install WordPress: %w; try again", err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || !strings.Contains(string(page), "wp-login.php")) {
		err = fmt.Errorf("it answers %s: %s", response.Status, page[max(0, len(page)-2048):])
	}
	if err != nil {
		return fmt.Errorf("cannot install WordPress: %w; mend what it says", err)
	}
	return nil
}
