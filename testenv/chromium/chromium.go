// Package chromium unpacks Debian's Chromium under build/ and runs it without a window for tests. Nothing is installed.
package chromium

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"zabbix-agent2-plugin-hosting/testenv/program"
)

const (
	buildName     = "chromium"
	chromiumPath  = "usr/lib/chromium/chromium"
	fontsConfPath = "fonts.conf"
)

// Install fetches and unpacks Chromium with its libraries and a font where they are not there yet: some 140 MB.
func Install() error {
	_, err := bundle()
	return err
}

func bundle() (*program.Bundle, error) {
	choice := program.Choice{
		Packages: []string{"chromium", "chromium-common"},
		Also:     []string{"fonts-dejavu-core", "fonts-liberation"},
		Change:   writeFonts,
		Changed:  "2",
	}
	return choice.Programs(buildName)
}

// writeFonts makes a configuration of fonts that knows those of the bundle only, so that pictures do not differ with the machine.
func writeFonts(dir string) error {
	conf := `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias><family>Arial</family><prefer><family>Liberation Sans</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`
	if err := os.WriteFile(filepath.Join(dir, fontsConfPath), []byte(conf), 0o644); err != nil {
		return fmt.Errorf("cannot configure Chromium's fonts: %w; free space on its disk", err)
	}
	return nil
}

// Command prepares a program that runs Chromium, whose path it finds in CHROMIUM: it gets Chromium's environment.
func Command(path string, arguments ...string) (*exec.Cmd, error) {
	b, err := bundle()
	if err != nil {
		return nil, err
	}
	command := exec.Command(path, arguments...)
	command.Env = append(b.Command(chromiumPath).Env, "CHROMIUM="+b.Path(chromiumPath), "FONTCONFIG_FILE="+b.Path(fontsConfPath))
	return command, nil
}
