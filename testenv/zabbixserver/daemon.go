package zabbixserver

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"

	"zabbix-agent2-plugin-hosting/testenv/freeport"
	"zabbix-agent2-plugin-hosting/testenv/program"
)

const (
	// portAttempts is how often another program may take the free port before ours does.
	portAttempts = 3
	portTaken    = "ddress already in use"
	// logLimit is how much of a log a failed test tells.
	logLimit = 16 << 10
)

// daemonConf is the part of the configuration that servers and proxies share: nothing that two of them would have in common, and few processes.
// Zabbix's own documentation of the options is zabbix_server.conf's.
func daemonConf(dir string, port int) []string {
	return []string{
		"ListenIP=127.0.0.1", fmt.Sprintf("ListenPort=%d", port),
		"LogType=console", "PidFile=" + dir + "/pid", "SocketDir=" + dir,
		"ExternalScripts=" + dir, "SSLCertLocation=" + dir, "SSLKeyLocation=" + dir, "SSLCALocation=" + dir, "LoadModulePath=" + dir,
		"StartPollers=2", "StartPollersUnreachable=1", "StartTrappers=2", "StartPreprocessors=1", "StartDBSyncers=1",
		"StartPingers=0", "StartDiscoverers=0", "StartHTTPPollers=0", "StartODBCPollers=0",
		"Timeout=4", "UnreachablePeriod=5", "UnreachableDelay=5", "UnavailableDelay=5", "HousekeepingFrequency=0", "StatsAllowedIP=127.0.0.1",
	}
}

// of70 are the options that came after 6.0.
var of70 = []string{"StartAgentPollers=1", "StartHTTPAgentPollers=1", "StartSNMPPollers=0", "StartBrowserPollers=0"}

// daemon is a server or a proxy with its log.
type daemon struct {
	process *program.Process
	port    int
}

// startDaemon starts the server or one of its proxies in dir, whose configuration for a port conf returns, and returns when the port is open.
// Port 0 stands for any that is free.
func (s *Server) startDaemon(path, dir, name string, port int, conf func(port int) []string) (*daemon, error) {
	confName := name + ".conf"
	run := func(port int) (*program.Process, error) {
		if err := program.WriteFiles(dir, map[string]string{confName: strings.Join(conf(port), "\n") + "\n"}); err != nil {
			return nil, err
		}
		command := ordinary(s.packages.zabbix.Command(path, "-f", "-c", filepath.Join(dir, confName)))
		// Without it net-snmp fills the log with the MIBs that it does not find.
		command.Env = append(command.Env, "MIBS=")
		command.SysProcAttr.Pdeathsig = syscall.SIGKILL
		return program.Run(command, filepath.Join(dir, name+".log"))
	}
	return s.onPort(name, port, run, open)
}

// onPort starts a program on a port, where none is given on a free one, and returns when it is ready.
func (s *Server) onPort(name string, given int, run func(port int) (*program.Process, error), ready func(port int) bool) (*daemon, error) {
	for attempt := 1; ; attempt++ {
		d := &daemon{port: given}
		var err error
		if given == 0 {
			if d.port, err = freeport.Pick(); err != nil {
				return nil, err
			}
		}
		if d.process, err = run(d.port); err != nil {
			return nil, err
		}
		err = errors.Join(note(s.dir, name, "KILL", d.process), d.process.Await(startLimit, func() bool { return ready(d.port) }))
		if err == nil {
			return d, nil
		}
		d.process.Kill()
		if given != 0 || attempt == portAttempts || !strings.Contains(err.Error(), portTaken) {
			return nil, err
		}
	}
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// open tells whether somebody listens on a port.
func open(port int) bool {
	conn, err := net.Dial("tcp4", address(port))
	if err != nil {
		return false
	}
	return conn.Close() == nil
}
