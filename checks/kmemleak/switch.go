package kmemleak

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const (
	// configLimit is more than any kernel's configuration has.
	configLimit = 4 << 20
	defaultOff  = "CONFIG_DEBUG_KMEMLEAK_DEFAULT_OFF"
)

// doubt says of a list without an object why that is no good news: a detector that was switched off at boot has a list still, and it is empty. Off is
// false where that is not known.
func (r *Reader) doubt() (reason string, off bool) {
	switch r.told() {
	case "off":
		return "kmemleak is switched off by kmemleak=off on the kernel's command line; take that away and restart the host", true
	case "on":
		return "", false
	}

	byDefault, known := r.offByDefault()

	switch {
	case !known:
		return "nothing is listed, and whether kmemleak is on cannot be told: neither /proc/config.gz nor /boot has the kernel's configuration; " +
			"start the kernel with kmemleak=on to be sure", false
	case byDefault:
		return "kmemleak is switched off unless the kernel is told otherwise (" + defaultOff + "); start it with kmemleak=on", true
	}

	return "", false
}

// told is what the kernel's command line says of kmemleak, "on" or "off"; empty for nothing. It cannot be switched on again behind an off.
func (r *Reader) told() string {
	line, err := os.ReadFile(filepath.Join(r.proc, "cmdline"))
	if err != nil {
		return ""
	}

	words := strings.Fields(string(line))
	// What follows is for init.
	if end := slices.Index(words, "--"); end >= 0 {
		words = words[:end]
	}

	for _, word := range []string{"off", "on"} {
		if slices.Contains(words, "kmemleak="+word) {
			return word
		}
	}

	return ""
}

// offByDefault asks the configuration of the running kernel.
func (r *Reader) offByDefault() (off, known bool) {
	config, err := r.config()
	if err != nil {
		return false, false
	}

	for line := range bytes.Lines(config) {
		if string(bytes.TrimSpace(line)) == defaultOff+"=y" {
			return true, true
		}
	}

	return false, true
}

func (r *Reader) config() ([]byte, error) {
	if packed, err := os.Open(filepath.Join(r.proc, "config.gz")); err == nil {
		defer func() { _ = packed.Close() }()

		if plain, err := gzip.NewReader(packed); err == nil {
			return io.ReadAll(io.LimitReader(plain, configLimit))
		}
	}

	release, err := procfile.Release(r.proc)
	if err != nil {
		return nil, err
	}

	file, err := os.Open(filepath.Join(r.boot, "config-"+release))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()

	return io.ReadAll(io.LimitReader(file, configLimit))
}
