// Package zabbixserver runs real Zabbix servers of both supported versions for tests, each with its own database and frontend, and proxies for them:
// Debian's, unpacked under build/, in a directory of its own, on free ports of 127.0.0.1. Nothing is installed.
package zabbixserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"zabbix-agent2-plugin-hosting/testenv/program"
	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
)

// Version is a Zabbix release series; it is the agents' type, so that a test runs both of one version.
type Version = zabbixagent.Version

// The supported versions; Debian bookworm has 6.0.14 and its backports 7.0.9.
const (
	V60 = zabbixagent.V60
	V70 = zabbixagent.V70
)

// Versions returns all versions, oldest first.
func Versions() []Version { return zabbixagent.Versions() }

const (
	buildName       = "zabbixserver"
	serverProgram   = "usr/sbin/zabbix_server"
	proxyProgram    = "usr/sbin/zabbix_proxy"
	schemaDir       = "usr/share/zabbix-server-pgsql"
	frontendDir     = "usr/share/zabbix"
	frontendConfig  = frontendDir + "/include/classes/core/CConfigFile.php"
	postgresDir     = "usr/lib/postgresql/15/bin"
	phpProgram      = "usr/bin/php8.2"
	phpModules      = "usr/lib/php/20220829"
	configLocation  = "HOSTING_TEST_FRONTEND_CONFIG"
	debiansLocation = "const CONFIG_FILE_PATH = '/etc/zabbix/zabbix.conf.php';"
)

// packages are what a server of one version runs on and of.
type packages struct{ zabbix, postgres, php *program.Bundle }

// Install fetches and unpacks Zabbix of a version, PostgreSQL and PHP, and makes the server's first database, where they are not there yet: some 90 MB.
func Install(v Version) error {
	_, _, err := install(v)
	return err
}

func install(v Version) (packages, string, error) {
	all, err := unpack(v)
	if err != nil {
		return packages{}, "", err
	}
	cluster, err := firstCluster(v, all)
	return all, cluster, err
}

func unpack(v Version) (packages, error) {
	suite, err := v.Suite()
	if err != nil {
		return packages{}, err
	}
	var all packages
	// Only PostgreSQL's just-in-time compiler needs LLVM, 114 MB of it, and no cluster of ours compiles.
	postgres := program.Choice{Packages: []string{"postgresql-15", "postgresql-client-15"}, Without: []string{"libllvm14"}}
	if all.postgres, err = postgres.Programs(buildName + "/postgres"); err != nil {
		return packages{}, err
	}
	all.php, err = program.Programs(buildName+"/php", "php8.2-cli", "php8.2-common", "php8.2-opcache", "php8.2-pgsql",
		"php8.2-mbstring", "php8.2-bcmath", "php8.2-gd", "php8.2-xml")
	if err != nil {
		return packages{}, err
	}
	zabbix := program.Choice{
		Suite:    suite,
		Packages: []string{"zabbix-server-pgsql", "zabbix-frontend-php", "zabbix-proxy-sqlite3"},
		Also:     []string{"fonts-dejavu-core"},
		Change:   findConfiguration,
		Changed:  "1",
	}
	all.zabbix, err = zabbix.Programs(buildName + "/" + string(v))
	return all, err
}

// findConfiguration has the frontend in dir look for its configuration where a constant says, which prepend defines: Debian's knows one place on the machine only.
func findConfiguration(dir string) error {
	path := filepath.Join(dir, frontendConfig)
	source, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot read the frontend: %w; see where Debian's zabbix-frontend-php has it now", err)
	}
	if !strings.Contains(string(source), debiansLocation) {
		return fmt.Errorf("cannot give the frontend a configuration: %s has no %s; adapt testenv/zabbixserver", path, debiansLocation)
	}
	changed := strings.Replace(string(source), debiansLocation, "const CONFIG_FILE_PATH = "+configLocation+";", 1)
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		return fmt.Errorf("cannot change the frontend: %w; free space on its disk", err)
	}
	return nil
}
