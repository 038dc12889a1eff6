// Package inkernel tells what a process has in the kernel by bpf(2), and whether the kernel still has it when the process has ended or let go of it.
package inkernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"zabbix-agent2-plugin-hosting/testenv/again"
)

// patience is how long the kernel may take: it frees a program when none of its processors can run it any more.
const patience = 30 * time.Second

// Objects are the kernel's numbers of maps, programs and links.
type Objects struct {
	Maps, Programs, Links []int
}

// HeldByT are those that a process holds by its descriptors.
func HeldByT(tb testing.TB, pid int) (held Objects) {
	tb.Helper()

	for _, text := range descriptors(tb, pid) {
		held.add(text)
	}

	return held
}

// BytesHeldByT are what the maps and programs take that a process holds.
func BytesHeldByT(tb testing.TB, pid int) (bytes int) {
	tb.Helper()

	for _, text := range descriptors(tb, pid) {
		bytes += numbers(text)["memlock"]
	}

	return bytes
}

// descriptors are what /proc/PID/fdinfo says of each.
func descriptors(tb testing.TB, pid int) (texts []string) {
	tb.Helper()

	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		tb.Fatal(err)
	}

	for _, file := range files {
		text, err := os.ReadFile(file)

		switch {
		case errors.Is(err, fs.ErrNotExist):
			// It has been closed since.
		case err != nil:
			tb.Fatalf("cannot tell what process %d holds in the kernel: %v", pid, err)
		default:
			texts = append(texts, string(text))
		}
	}

	return texts
}

// add takes what is said of one descriptor. A link tells its program as well.
func (o *Objects) add(text string) {
	said := numbers(text)

	if number, ok := said["link_id"]; ok {
		o.Links = append(o.Links, number)
	} else if number, ok := said["prog_id"]; ok {
		o.Programs = append(o.Programs, number)
	}

	if number, ok := said["map_id"]; ok {
		o.Maps = append(o.Maps, number)
	}
}

// numbers are those that are said of a descriptor, by their names.
func numbers(text string) map[string]int {
	all := make(map[string]int)

	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		if number, err := strconv.Atoi(value); err == nil {
			all[name] = number
		}
	}

	return all
}

// Left are those of them that the kernel still has. One that cannot be opened for another reason counts, too: a link cannot for a moment while it is made.
func (o Objects) Left() Objects {
	return Objects{
		Maps: left(o.Maps, func(number int) error {
			m, err := ebpf.NewMapFromID(ebpf.MapID(number))

			return errors.Join(err, m.Close())
		}),
		Programs: left(o.Programs, func(number int) error {
			p, err := ebpf.NewProgramFromID(ebpf.ProgramID(number))

			return errors.Join(err, p.Close())
		}),
		Links: left(o.Links, func(number int) error {
			l, err := link.NewFromID(link.ID(number))
			if err == nil {
				err = l.Close()
			}

			return err
		}),
	}
}

func left(numbers []int, open func(int) error) (all []int) {
	for _, number := range numbers {
		if !errors.Is(open(number), fs.ErrNotExist) {
			all = append(all, number)
		}
	}

	return all
}

// Count is how many there are.
func (o Objects) Count() int { return len(o.Maps) + len(o.Programs) + len(o.Links) }

// RequireGoneT waits until the kernel has none of them.
func RequireGoneT(tb testing.TB, o Objects) {
	tb.Helper()

	for deadline := time.Now().Add(patience); o.Left().Count() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("the kernel still has %+v of %+v after %s", o.Left(), o, patience)
		}
	}
}

// RequireGoneAfterSIGKILLT starts this program again with a variable, NAME=value, by which it puts something into the kernel, says whether that failed,
// and waits. It holds what is there against all, kills the program, and wants nothing left.
func RequireGoneAfterSIGKILLT(tb testing.TB, variable string, all func(Objects)) {
	tb.Helper()

	holding, err := again.Start(variable, nil)
	if err != nil {
		tb.Fatal(err)
	}

	tb.Cleanup(holding.Kill)

	if line, err := holding.Output.ReadString('\n'); line != "<nil>\n" {
		tb.Fatalf("cannot put anything into the kernel: %s, %v", line, err)
	}

	held := HeldByT(tb, holding.PID)
	all(held)
	holding.Kill()
	RequireGoneT(tb, held)
}

// Hold is what the program does that RequireGoneAfterSIGKILLT starts, with what it has put into the kernel. It ends when its parent does, however that ends.
func Hold(held any, err error) {
	fmt.Println(err)

	_, _ = os.Stdin.Read(make([]byte, 1))

	runtime.KeepAlive(held)
	os.Exit(0)
}
