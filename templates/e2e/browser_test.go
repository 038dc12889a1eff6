//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/chromium"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// pictureLimit is how many bytes a picture may have in the repository.
const pictureLimit = 200 << 10

// page is a page of the frontend and the picture of it, as testenv/browser takes them.
type page struct {
	Path   string `json:"path"`
	Number int    `json:"number"`
	File   string `json:"file"`
	Width  int64  `json:"width"`
	Height int64  `json:"height"`
}

// seenPage is what testenv/browser tells of a page.
type seenPage struct {
	Tables [][][]string `json:"tables"`
	Errors []string     `json:"errors"`
}

// browse logs in as a user, keeps the pictures of pages under build/images, and returns what was seen.
func browse(t *testing.T, s *zabbixserver.Server, user, password string, pages ...page) []seenPage {
	t.Helper()
	path, err := builddir.Path("bin", "browser")
	require.NoError(t, err)
	require.FileExists(t, path, "run make browser")
	dir, err := builddir.Path("images", string(s.Version()))
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	for i := range pages {
		pages[i].File = filepath.Join(dir, pages[i].File)
	}
	order, err := json.Marshal(map[string]any{"url": s.URL(), "user": user, "password": password, "pages": pages})
	require.NoError(t, err)
	command, err := chromium.Command(path)
	require.NoError(t, err)
	command.Stdin, command.Stderr = bytes.NewReader(order), os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := command.Output()
	require.NoError(t, err)
	var seen []seenPage
	require.NoError(t, json.Unmarshal(out, &seen))
	require.Len(t, seen, len(pages))
	for i, one := range seen {
		require.Empty(t, one.Errors, pages[i].File)
		info, err := os.Stat(pages[i].File)
		require.NoError(t, err)
		require.LessOrEqual(t, info.Size(), int64(pictureLimit), pages[i].File)
	}
	return seen
}

// pushable makes what a template calculates something that can be pushed with a time of the past.
func pushable(t *testing.T, text string) string {
	t.Helper()
	var document yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(text), &document))
	makePushable(&document)
	changed, err := yaml.Marshal(&document)
	require.NoError(t, err)
	return string(changed)
}

// makePushable makes calculated items below a node trapper items.
func makePushable(node *yaml.Node) {
	if node.Kind == yaml.MappingNode && value(node, "type") == "CALCULATED" {
		var kept []*yaml.Node
		for i := 0; i < len(node.Content); i += 2 {
			switch node.Content[i].Value {
			case "type":
				node.Content[i+1].Value = "TRAP"
			case "params", "preprocessing", "delay":
				continue
			}
			kept = append(kept, node.Content[i], node.Content[i+1])
		}
		node.Content = append(kept, &yaml.Node{Kind: yaml.ScalarNode, Value: "delay"}, &yaml.Node{Kind: yaml.ScalarNode, Value: "0", Style: yaml.SingleQuotedStyle})
	}
	for _, below := range node.Content {
		makePushable(below)
	}
}

// value is the value of a mapping's key, "" where it has none.
func value(mapping *yaml.Node, key string) string {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1].Value
		}
	}
	return ""
}
