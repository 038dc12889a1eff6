package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/debian"
)

const (
	sdkModule    = "golang.zabbix.com/sdk"
	sdkNeeds     = "golang.org/x/sys"
	sdkSuite     = "trixie"
	sdkSource    = "zabbix"
	sdkFile      = "*.orig-vendor.tar.xz"
	vendoredSDK  = "vendor/" + sdkModule + "/"
	vendoredList = "vendor/modules.txt"
)

// goWork is the workspace that puts build/sdk in the place of the module.
const goWork = "go %s\n\nuse .\n\nreplace " + sdkModule + " => ./build/sdk\n"

// fetchSDK makes the repository at root build: it leaves all as it is where the module proxy serves the SDK,
// and unpacks Debian's copy into build/sdk, replaced by go.work, where not.
func fetchSDK(root string, apt *debian.Apt, out io.Writer) error {
	mod, err := readGoMod(root)
	if err != nil {
		return err
	}
	pinned, err := mod.version(sdkModule)
	if err != nil {
		return err
	}
	sdk := filepath.Join(root, "build", "sdk")
	if !builddir.Complete(sdk, pinned) {
		err := askProxy(root)
		if err == nil {
			return dropWork(root, mod)
		}
		fmt.Fprintf(out, "The module proxy does not serve the SDK, so Debian's copy is used: %v\n", err)
	}
	err = builddir.Once(sdk, pinned, func(empty string) error {
		archive, err := apt.SourceFile(sdkSuite, sdkSource, sdkFile)
		if err != nil {
			return err
		}
		return unpackSDK(archive, empty, mod, out)
	})
	if err != nil {
		return err
	}
	return writeWork(root, mod)
}

// askProxy has Go download the SDK into its module cache, and gives up where the network swallows what is asked.
func askProxy(root string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := goCommand(ctx, root, "mod", "download", sdkModule)
	return err
}

// unpackSDK unpacks the SDK out of the vendor tree of Zabbix's source and gives it the go.mod that vendoring dropped.
func unpackSDK(archive, dir string, mod goMod, out io.Writer) error {
	var list []byte
	files := 0
	err := debian.EachFile(archive, func(name string, content io.Reader) (err error) {
		name = path.Clean(name)
		if name == vendoredList {
			list, err = io.ReadAll(content)
			return err
		}
		inside, found := strings.CutPrefix(name, vendoredSDK)
		if !found {
			return nil
		}
		files++
		return extract(dir, inside, content)
	})
	if err != nil {
		return err
	}
	revision, goVersion := vendoredRevision(list)
	if files == 0 || revision == "" {
		return fmt.Errorf("cannot find %s in %s: the source package has another layout now; adapt testenv/cmd/fetch", sdkModule, archive)
	}
	pinned, err := mod.version(sdkModule)
	if err != nil {
		return err
	}
	if revision != pinned {
		fmt.Fprintf(out, "warning: go.mod pins %s %s, Debian's %s has %s, which is used\n", sdkModule, pinned, sdkSuite, revision)
	}
	needs, err := mod.version(sdkNeeds)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("module %s\n\ngo %s\n\nrequire %s %s\n", sdkModule, goVersion, sdkNeeds, needs)
	return extract(dir, "go.mod", strings.NewReader(text))
}

var vendoredLine = regexp.MustCompile(`(?m)^# ` + regexp.QuoteMeta(sdkModule) + ` (\S+)\n## .*\bgo (\S+)$`)

// vendoredRevision reads the SDK's version and its Go version from vendor/modules.txt.
func vendoredRevision(list []byte) (revision, goVersion string) {
	if found := vendoredLine.FindSubmatch(list); found != nil {
		return string(found[1]), string(found[2])
	}
	return "", ""
}

// extract writes one file beneath dir; os.Root refuses a name that leads out of it.
func extract(dir, name string, content io.Reader) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("cannot unpack into %s: %w; make it writable", dir, err)
	}
	defer func() { _ = root.Close() }()
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return fmt.Errorf("cannot unpack %s: %w; fetch the archive again", name, err)
	}
	file, err := root.Create(name)
	if err != nil {
		return fmt.Errorf("cannot unpack %s: %w; fetch the archive again", name, err)
	}
	_, err = io.Copy(file, content)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("cannot unpack %s: %w; free space on its disk", name, err)
	}
	return nil
}

func workFile(root string, mod goMod) (file, content string) {
	return filepath.Join(root, "go.work"), fmt.Sprintf(goWork, mod.Go)
}

func writeWork(root string, mod goMod) error {
	file, want := workFile(root, mod)
	have, err := os.ReadFile(file)
	switch {
	case err == nil && strings.Contains(string(have), sdkModule):
		// Also a workspace that somebody extended by hand will do.
		return nil
	case err == nil:
		return fmt.Errorf("cannot write %s: it is yours and does not replace the SDK; add the line: replace %s => ./build/sdk", file, sdkModule)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("cannot read %s: %w; make it readable", file, err)
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		return fmt.Errorf("cannot write %s: %w; run this as the owner of the repository", file, err)
	}
	return nil
}

// dropWork removes a workspace of an earlier day when the module proxy did not serve the SDK.
func dropWork(root string, mod goMod) error {
	file, ours := workFile(root, mod)
	if have, err := os.ReadFile(file); err != nil || string(have) != ours {
		return nil
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("cannot remove the workspace of an earlier build: %w; remove %s", err, file)
	}
	return nil
}
