package hazard

import (
	"os"
	"path"
	"path/filepath"
	"strings"
)

// cron looks at what Debian's cron, cronie and anacron run.
func (s *scanner) cron() {
	tables := []string{"/etc/crontab", "/etc/anacrontab"}

	// Debian's users have theirs in crontabs, SUSE's in tabs, others' right there.
	for _, dir := range []string{"/etc/cron.d", "/var/spool/cron", "/var/spool/cron/crontabs", "/var/spool/cron/tabs"} {
		for _, name := range s.list(dir) {
			tables = append(tables, path.Join(dir, name))
		}
	}

	for _, table := range tables {
		for _, l := range s.read(table) {
			s.take(KindCron, table, l, l.text)
		}
	}

	for _, period := range []string{"hourly", "daily", "weekly", "monthly", "yearly"} {
		dir := "/etc/cron." + period
		for _, name := range s.list(dir) {
			s.cronScript(path.Join(dir, name))
		}
	}
}

// cronScript looks at a file that run-parts(8) runs if it is executable.
func (s *scanner) cronScript(script string) {
	info, err := os.Stat(filepath.Join(s.root, script))
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return
	}

	for _, l := range s.read(script) {
		s.take(KindCron, script, l, l.text)
	}
}

func (s *scanner) sudoers() {
	files := []string{"/etc/sudoers"}

	for _, name := range s.list("/etc/sudoers.d") {
		if !strings.Contains(name, ".") {
			files = append(files, path.Join("/etc/sudoers.d", name))
		}
	}

	for _, file := range files {
		for _, l := range s.read(file) {
			// A comma ends a command, unless it is hidden.
			command := strings.ReplaceAll(strings.ReplaceAll(l.text, `\,`, " "), ",", ";")
			s.take(KindSudoers, file, l, command)
		}
	}
}

// zabbix looks at the configuration of both agents, from packages and from source.
func (s *scanner) zabbix() {
	for _, dir := range []string{"/etc/zabbix", "/usr/local/etc"} {
		for _, name := range s.list(dir) {
			if !strings.HasPrefix(name, "zabbix_agent") {
				continue
			}

			file := path.Join(dir, name)
			if strings.HasSuffix(name, ".conf") {
				s.userParameters(file)
			}

			if !strings.HasSuffix(name, ".d") {
				continue
			}

			for _, inner := range s.list(file) {
				if strings.HasSuffix(inner, ".conf") {
					s.userParameters(path.Join(file, inner))
				}
			}
		}
	}
}

func (s *scanner) userParameters(file string) {
	for _, l := range s.read(file) {
		name, value, _ := strings.Cut(l.text, "=")
		if strings.TrimSpace(name) != "UserParameter" {
			continue
		}

		// The key may have a comma of its own only in brackets, which hold no command.
		if _, command, found := strings.Cut(value, ","); found {
			s.take(KindZabbix, file, l, command)
		}
	}
}
