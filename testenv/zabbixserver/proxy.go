package zabbixserver

import (
	"fmt"
	"os"
	"path/filepath"
)

// Proxy is a running active zabbix_proxy with its own SQLite database. It ends with its server.
type Proxy struct {
	// ID is the proxy's in the server's API.
	ID string

	daemon *daemon
	log    string
}

// StartProxy makes a proxy known to the server and starts it; it returns when the proxy's port is open.
func (s *Server) StartProxy(name string) (*Proxy, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, err := s.api.CreateProxy(name)
	if err != nil {
		return nil, err
	}
	unit := fmt.Sprintf("proxy%d", len(s.proxies))
	dir := filepath.Join(s.dir, unit)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make a directory for a proxy: %w; free space in %s", err, s.dir)
	}
	if err := giveAway(dir); err != nil {
		return nil, err
	}
	p := &Proxy{ID: id, log: filepath.Join(dir, unit+".log")}
	conf := func(port int) []string {
		lines := append(daemonConf(dir, port), "ProxyMode=0", "Server="+s.Address(), "Hostname="+name, "DBName="+dir+"/proxy.db", "DataSenderFrequency=1")
		if s.options.Version == V60 {
			return append(lines, "ConfigFrequency=1", "HeartbeatFrequency=1")
		}
		return append(append(lines, of70...), "ProxyConfigFrequency=1")
	}
	if p.daemon, err = s.startDaemon(proxyProgram, dir, unit, 0, conf); err != nil {
		return nil, err
	}
	s.proxies = append(s.proxies, p)
	return p, nil
}

// Address is host and port for active agents and zabbix_sender.
func (p *Proxy) Address() string { return address(p.daemon.port) }

// Log returns the proxy's whole log, until its server is stopped.
func (p *Proxy) Log() string {
	log, err := os.ReadFile(p.log)
	if err != nil {
		return ""
	}
	return string(log)
}
