package zabbixserver

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/program"
)

const (
	startLimit = 60 * time.Second
	dataDir    = "data"
	// database is the one that every cluster has.
	database = "postgres"
	owner    = "zabbix"
	// clusterVersion is raised with every change of what firstCluster makes.
	clusterVersion = "3"
	readyLine      = "database system is ready to accept connections"
)

// postgresSettings are those of a database that may be lost, and that is reached through a socket in its directory only.
var postgresSettings = [...]string{
	"listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off", "jit=off", "autovacuum=off",
	"shared_buffers=64MB", "max_connections=100", "dynamic_shared_memory_type=mmap", "max_wal_size=16MB", "min_wal_size=8MB",
	"timezone=GMT", "log_timezone=GMT",
}

// postgres is a running PostgreSQL.
type postgres struct {
	bundle  *program.Bundle
	dir     string
	process *program.Process
}

// startPostgres starts PostgreSQL with the cluster in dir, whose other programs it serves through a socket in dir.
func startPostgres(bundle *program.Bundle, dir string) (*postgres, error) {
	arguments := []string{"-D", filepath.Join(dir, dataDir), "-c", "unix_socket_directories=" + dir}
	for _, setting := range postgresSettings {
		arguments = append(arguments, "-c", setting)
	}
	command := ordinary(bundle.Command(postgresDir+"/postgres", arguments...))
	command.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	process, err := program.Run(command, filepath.Join(dir, "postgres.log"))
	if err != nil {
		return nil, err
	}
	p := &postgres{bundle: bundle, dir: dir, process: process}
	if err := process.Await(startLimit, func() bool { return strings.Contains(process.Output(), readyLine) }); err != nil {
		p.stop(syscall.SIGQUIT)
		return nil, err
	}
	return p, nil
}

// stop ends PostgreSQL: SIGINT leaves a clean cluster, SIGQUIT is quick.
func (p *postgres) stop(signal syscall.Signal) {
	p.process.Signal(signal)
	select {
	case <-p.process.Exited():
	case <-time.After(startLimit):
		p.process.Kill()
	}
}

// run runs SQL.
func (p *postgres) run(sql io.Reader) error {
	command := ordinary(p.bundle.Command(postgresDir+"/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", p.dir, "-U", owner, "-d", database, "-f", "-"))
	command.Stdin = sql
	// What the statements return is nobody's concern, their errors are.
	var said strings.Builder
	command.Stderr = &said
	if err := command.Run(); err != nil {
		return fmt.Errorf("cannot run SQL: %w; mend what psql says: %s", err, said.String())
	}
	return nil
}

// firstCluster returns the directory of a database cluster that holds nothing but what a server has at its first start. It is made once, for that takes up to 20 s.
func firstCluster(v Version, all packages) (string, error) {
	path, err := builddir.Path(buildName, "cluster-"+string(v))
	if err != nil {
		return "", err
	}
	err = builddir.Once(path, clusterVersion, func(empty string) error {
		dir, err := newDir("cluster", all)
		if err != nil {
			return err
		}
		watch, err := startGuard(dir)
		if err != nil {
			return err
		}
		err = fillCluster(all, dir)
		if err == nil {
			err = os.CopyFS(filepath.Join(empty, dataDir), os.DirFS(filepath.Join(dir, dataDir)))
		}
		if endErr := watch.end(dir); err == nil {
			err = endErr
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("cannot make the first database of Zabbix %s: %w", v, err)
	}
	return filepath.Join(path, dataDir), nil
}

// fillCluster makes a cluster in dir with the tables and the content that Zabbix's packages have for it.
func fillCluster(all packages, dir string) error {
	initdb := ordinary(all.postgres.Command(postgresDir+"/initdb", "-D", filepath.Join(dir, dataDir), "-U", owner,
		"-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--wal-segsize=4", "--no-sync"))
	// PostgreSQL knows GMT without the package tzdata.
	initdb.Env = append(initdb.Env, "TZ=GMT")
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot make a cluster: %w; mend what initdb says: %s", err, output)
	}
	p, err := startPostgres(all.postgres, dir)
	if err != nil {
		return err
	}
	defer p.stop(syscall.SIGINT)
	if err := note(dir, "postgres", "QUIT", p.process); err != nil {
		return err
	}
	for _, name := range [...]string{"schema", "images", "data"} {
		if err := p.runFile(all.zabbix.Path(schemaDir, name+".sql.gz")); err != nil {
			return err
		}
	}
	// Without statistics the import of a template takes 14 s. The stock host would poll an agent of this machine.
	return p.run(strings.NewReader("ANALYZE; UPDATE hosts SET status=1 WHERE host='Zabbix server';"))
}

func (p *postgres) runFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read the database's content: %w; remove build/%s, so that it is fetched again", err, buildName)
	}
	defer func() { _ = file.Close() }()
	sql, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("cannot unpack %s: %w; remove build/%s, so that it is fetched again", path, err, buildName)
	}
	return p.run(sql)
}

// newDir makes a directory that the programs may write, and checks that they can be run.
func newDir(name string, all packages) (string, error) {
	if err := reachable(all.postgres, postgresDir+"/postgres"); err != nil {
		return "", err
	}
	dir, err := program.Dir(name)
	if err != nil {
		return "", err
	}
	if err := giveAway(dir); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}
