package debian

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// helper is apt's own tool for scripts: it downloads as apt does and decompresses all that apt can, so neither curl nor xz is needed.
const helper = "/usr/lib/apt/apt-helper"

// Unpack unpacks the files of a .deb under dir without installing anything. Where dir has a link in the place of a directory, the files go where it leads.
// Patterns of tar choose among the files; there must be one for each pattern.
func Unpack(deb, dir string, only ...string) error {
	var sourceSaid, targetSaid bytes.Buffer
	source := exec.Command("dpkg-deb", "--fsys-tarfile", deb)
	target := exec.Command("tar", append([]string{"-C", dir, "--keep-directory-symlink", "-xpf", "-", "--wildcards"}, only...)...)
	// One buffer for both would lose what one says when the other ends.
	source.Stderr, target.Stderr = &sourceSaid, &targetSaid
	files, err := source.StdoutPipe()
	if err == nil {
		target.Stdin = files
		err = source.Start()
	}
	if err == nil {
		err = errors.Join(target.Run(), files.Close(), source.Wait())
	}
	if err != nil {
		return fmt.Errorf("cannot unpack %s: %w (%s); remove that file and try again", deb, err, tail(append(sourceSaid.Bytes(), targetSaid.Bytes()...)))
	}
	return nil
}

// Depends returns the names of the packages that a .deb depends on, also before it is unpacked; of alternatives the first.
func Depends(deb string) ([]string, error) {
	output, err := exec.Command("dpkg-deb", "-W", "--showformat=${Depends},${Pre-Depends}", deb).Output()
	if err != nil {
		return nil, fmt.Errorf("cannot read what %s depends on: %w; remove that file and try again", deb, err)
	}
	return parseDepends(string(output)), nil
}

func parseDepends(field string) []string {
	var names []string
	for clause := range strings.SplitSeq(field, ",") {
		if words := strings.Fields(clause); len(words) > 0 {
			name, _, _ := strings.Cut(words[0], ":")
			names = append(names, name)
		}
	}
	return names
}

// EachFile calls visit for each regular file in a tar archive, compressed in any way that apt knows, until visit returns an error.
func EachFile(archive string, visit func(name string, content io.Reader) error) (err error) {
	command := exec.Command(helper, "cat-file", archive)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return fmt.Errorf("cannot decompress %s: %w; install the package apt", archive, err)
	}
	walkErr := walk(tar.NewReader(stdout), visit)
	// What visit left unread would block the decompressor for ever.
	_, drainErr := io.Copy(io.Discard, stdout)
	if err := command.Wait(); err != nil {
		return fmt.Errorf("cannot decompress %s: %w (%s); remove that file and try again", archive, err, tail(stderr.Bytes()))
	}
	return errors.Join(walkErr, drainErr)
}

func walk(archive *tar.Reader, visit func(string, io.Reader) error) error {
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot read a tar archive: %w; fetch it again", err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if err := visit(header.Name, archive); err != nil {
			return err
		}
	}
}
