// Package wordpress runs a real WordPress for tests: Debian's, behind its nginx and php-fpm, with its MariaDB,
// unpacked under build/, in a directory of its own, as the caller's user, and open to 127.0.0.1 only.
package wordpress

import (
	"zabbix-agent2-plugin-hosting/testenv/nginx"
	"zabbix-agent2-plugin-hosting/testenv/program"
)

const (
	bundleName   = "wordpress"
	filesName    = "wordpress-files"
	phpProgram   = "usr/sbin/php-fpm8.2"
	phpModules   = "usr/lib/php/20220829"
	mariaProgram = "usr/sbin/mariadbd"
	mariaShare   = "usr/share/mysql"
	treeOfSite   = "usr/share/wordpress"
	theme        = "twentytwentythree"
)

// packages are what WordPress runs on and of.
type packages struct{ programs, files *program.Bundle }

// Install fetches and unpacks nginx, PHP, MariaDB and WordPress where they are not there yet: some 60 MB.
func Install() error {
	if _, err := nginx.Install(); err != nil {
		return err
	}
	_, err := install()
	return err
}

func install() (packages, error) {
	programs, err := program.Programs(bundleName, "php8.2-fpm", "php8.2-common", "php8.2-opcache", "php8.2-mysql", "php8.2-mbstring", "php8.2-xml", "mariadb-server-core")
	if err != nil {
		return packages{}, err
	}
	files, err := program.Files(filesName, "wordpress", "wordpress-theme-"+theme, "php-getid3", "libjs-cropper", "libjs-underscore")
	return packages{programs: programs, files: files}, err
}
