package leak

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

const (
	kindVariable  = "HOSTING_TEST_LEAK"
	countVariable = "HOSTING_TEST_LEAK_COUNT"
	dirVariable   = "HOSTING_TEST_LEAK_DIR"
	held          = "held"
)

// Serve does what Start has started this process for, and never returns then. Each TestMain whose tests call Start begins with it.
func Serve() {
	kind := os.Getenv(kindVariable)
	if kind == "" {
		return
	}

	if err := hold(Kind(kind), os.Getenv(countVariable), os.Getenv(dirVariable), os.Stdin, os.Stdout); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}

	os.Exit(0)
}

// hold waits for a line before it takes anything, says a line when it has taken all, and holds it until the input ends.
func hold(kind Kind, count, dir string, in io.Reader, out io.Writer) error {
	number, err := strconv.Atoi(count)
	if err != nil {
		return fmt.Errorf("cannot leak %q objects: %w", count, err)
	}

	take, err := kind.taker(dir)
	if err != nil {
		return fmt.Errorf("cannot leak %s: %w", kind, err)
	}

	lines := bufio.NewReader(in)
	if _, err := lines.ReadString('\n'); err != nil {
		return nil //nolint:nilerr // whoever started this does not want it any more
	}

	for i := range number {
		if err := take(i); err != nil {
			return fmt.Errorf("cannot leak object %d of %d of kind %s: %w; raise the limit", i, number, kind, err)
		}
	}

	if _, err := fmt.Fprintln(out, held); err != nil {
		return err
	}

	if _, err := lines.ReadString('\n'); !errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot hold what was leaked: %w", err)
	}

	return nil
}
