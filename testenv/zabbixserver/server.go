package zabbixserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
)

// Options describe one server. Only Version is needed.
type Options struct {
	Version Version
	// Name is what the frontend's pages are headed with, "test" and the version by default.
	Name string
	// Lines are further lines of the server's configuration, such as StartPollers=10.
	Lines []string
}

// Server is a running Zabbix server with its database and its frontend. Its methods may be called from any goroutine.
type Server struct {
	options  Options
	packages packages
	cluster  string
	dir      string
	guard    *guard
	ports    ports

	mu       sync.Mutex
	database *postgres
	zabbix   *daemon
	frontend *daemon
	proxies  []*Proxy
	api      *zabbixapi.Client
	marker   marker
	stopped  bool
	lastLog  string
}

// ports are those that the parts listen on, 0 before they have been started.
type ports struct{ server, frontend int }

// Start starts a server that has never run, and returns when its API can be used. It dies with this process. The caller must call Stop.
func Start(o Options) (*Server, error) {
	unpacked, cluster, err := install(o.Version)
	if err != nil {
		return nil, err
	}
	if o.Name == "" {
		o.Name = "test " + string(o.Version)
	}
	dir, err := newDir("zabbix", unpacked)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, packages: unpacked, cluster: cluster, dir: dir}
	if s.guard, err = startGuard(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// start starts all parts from the first database, on the ports that they had, if any.
func (s *Server) start() error {
	data := filepath.Join(s.dir, dataDir)
	if err := os.CopyFS(data, os.DirFS(s.cluster)); err != nil {
		return fmt.Errorf("cannot copy the first database: %w; free space in %s", err, s.dir)
	}
	if err := os.Chmod(data, 0o700); err != nil {
		return fmt.Errorf("cannot close the database's directory to others: %w; move %s to a file system with permissions", err, s.dir)
	}
	if err := giveAway(s.dir); err != nil {
		return err
	}
	var err error
	if s.database, err = startPostgres(s.packages.postgres, s.dir); err != nil {
		return err
	}
	if err := note(s.dir, "postgres", "QUIT", s.database.process); err != nil {
		return err
	}
	if s.zabbix, err = s.startDaemon(serverProgram, s.dir, "server", s.ports.server, s.conf); err != nil {
		return err
	}
	if s.frontend, err = s.startFrontend(s.ports.frontend); err != nil {
		return err
	}
	if s.ports == (ports{}) {
		s.ports = ports{server: s.zabbix.port, frontend: s.frontend.port}
	}
	s.api, err = zabbixapi.Login(s.URL()+apiPath, zabbixapi.Admin, zabbixapi.AdminPassword)
	return err
}

// conf is the server's configuration.
func (s *Server) conf(port int) []string {
	lines := append(daemonConf(s.dir, port),
		"DBHost="+s.dir, "DBName="+database, "DBUser="+owner, "AlertScriptsPath="+s.dir,
		"CacheUpdateFrequency=1", "ProxyConfigFrequency=1", "ProxyDataFrequency=1",
		"StartHistoryPollers=1", "StartLLDProcessors=1", "StartAlerters=1", "StartProxyPollers=1", "StartTimers=1", "StartEscalators=1")
	if s.options.Version != V60 {
		lines = append(lines, of70...)
		// Nothing calls home, and nobody runs commands through the frontend.
		lines = append(lines, "AllowSoftwareUpdateCheck=0", "EnableGlobalScripts=0")
	}
	return append(lines, s.options.Lines...)
}

// Version is the server's release series.
func (s *Server) Version() Version { return s.options.Version }

// URL is the frontend's, without a slash at its end.
func (s *Server) URL() string { return "http://" + address(s.ports.frontend) }

// Address is host and port for active agents, proxies and zabbix_sender.
func (s *Server) Address() string { return address(s.ports.server) }

// API is the server's API with all rights. After Reset it is another one.
func (s *Server) API() *zabbixapi.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.api
}

// Reset makes the server what it was after Start, at the same addresses, and ends its proxies.
func (s *Server) Reset() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
	if err := os.RemoveAll(filepath.Join(s.dir, dataDir)); err != nil {
		return fmt.Errorf("cannot remove the database: %w; stop what uses it", err)
	}
	return s.start()
}

// end ends all parts without a word: what they would still write is lost with the database.
func (s *Server) end() {
	for _, proxy := range s.proxies {
		proxy.daemon.process.Kill()
	}
	s.proxies, s.marker = nil, marker{}
	for _, part := range [...]*daemon{s.frontend, s.zabbix} {
		if part != nil {
			part.process.Kill()
		}
	}
	if s.database != nil {
		s.database.stop(syscall.SIGQUIT)
	}
}

// Stop ends all and removes its files. It may be called again.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.end()
	s.lastLog = s.readLog("server.log")
	s.stopped = true
	return s.guard.end(s.dir)
}

// Log returns the server's whole log, also after Stop.
func (s *Server) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return s.lastLog
	}
	return s.readLog("server.log")
}

// FrontendErrors returns what PHP complained about, one line for each, such as warnings and calls of what is deprecated.
func (s *Server) FrontendErrors() []string {
	return strings.FieldsFunc(s.readLog(phpErrors), func(r rune) bool { return r == '\n' })
}

// readLog returns what there is: PHP makes its log with the first error.
func (s *Server) readLog(name string) string {
	log, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		return ""
	}
	return string(log)
}
