package debian

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// remoteFile is one line of apt-get --print-uris: 'URI' name size SHA256:hash.
type remoteFile struct{ uri, name, sha256 string }

func parseURIs(printed []byte) []remoteFile {
	var files []remoteFile
	for line := range strings.Lines(string(printed)) {
		fields := strings.Fields(line)
		if len(fields) != 4 || !strings.HasPrefix(fields[0], "'") || strings.ContainsRune(fields[1], '/') {
			continue
		}
		hash, _ := strings.CutPrefix(fields[3], "SHA256:")
		files = append(files, remoteFile{uri: strings.Trim(fields[0], "'"), name: fields[1], sha256: hash})
	}
	return files
}

func onlyMatch(files []remoteFile, pattern string) (remoteFile, error) {
	var found []remoteFile
	var names []string
	for _, file := range files {
		matched, err := path.Match(pattern, file.name)
		if err != nil {
			return remoteFile{}, err
		}
		if matched {
			found = append(found, file)
		}
		names = append(names, file.name)
	}
	if len(found) != 1 {
		return remoteFile{}, fmt.Errorf("%d files match %s, 1 is expected, of: %s", len(found), pattern, strings.Join(names, " "))
	}
	return found[0], nil
}

func (f remoteFile) matches(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return false
	}
	return hex.EncodeToString(sum.Sum(nil)) == f.sha256
}
