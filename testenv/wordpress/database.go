package wordpress

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"zabbix-agent2-plugin-hosting/testenv/program"
)

// The scripts that make MariaDB's own tables, in their order.
var systemTables = [...]string{"mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"}

func (s *Site) databaseSocket() string { return filepath.Join(s.dir, "db.sock") }

// mariadbd prepares the database server. Whoever reaches its socket may do all: that is the caller and root.
func (s *Site) mariadbd(arguments ...string) *exec.Cmd {
	programs := s.packages.programs
	command := programs.Command(mariaProgram, append([]string{
		"--no-defaults",
		"--basedir=" + programs.Path("usr"),
		"--lc-messages-dir=" + programs.Path(mariaShare),
		"--datadir=" + filepath.Join(s.dir, "db"),
		"--tmpdir=" + s.dir,
		"--innodb-buffer-pool-size=16M", "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0", "--performance-schema=OFF",
		"--skip-networking", "--skip-grant-tables",
	}, arguments...)...)
	if os.Geteuid() == 0 {
		// It runs as root only where it is told so in as many words.
		command.Args = append(command.Args, "--user=root")
	}
	return command
}

// makeDatabase makes MariaDB's tables and an empty database for WordPress.
func (s *Site) makeDatabase() error {
	if err := os.Mkdir(filepath.Join(s.dir, "db"), 0o700); err != nil {
		return fmt.Errorf("cannot make a directory for the database: %w; free space in %s", err, os.TempDir())
	}
	script := strings.Builder{}
	script.WriteString("CREATE DATABASE mysql;\nUSE mysql;\n")
	for _, name := range systemTables {
		sql, err := os.ReadFile(s.packages.programs.Path(mariaShare, name))
		if err != nil {
			return fmt.Errorf("cannot read how to make a database: %w; remove build/%s, so that it is fetched again", err, bundleName)
		}
		script.Write(sql)
		script.WriteString("\n")
	}
	script.WriteString("CREATE DATABASE wordpress;\n")
	command := s.mariadbd("--bootstrap")
	command.Stdin = strings.NewReader(script.String())
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot make a database: %w; mend what mariadbd says: %s", err, output[max(0, len(output)-2048):])
	}
	return nil
}

// StartDatabase starts MariaDB and returns when it can be connected to.
func (s *Site) StartDatabase() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.database.start(func() (*program.Process, error) {
		command := s.mariadbd("--socket="+s.databaseSocket(), "--pid-file="+filepath.Join(s.dir, "db.pid"))
		return program.Run(command, filepath.Join(s.dir, "db.log"))
	}, func() bool { return answers(s.databaseSocket()) })
}

// StopDatabase ends MariaDB in an orderly way.
func (s *Site) StopDatabase() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.database.stop()
}

// answers tells whether somebody listens on a unix socket.
func answers(path string) bool {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}
