package cli

import (
	"fmt"
	"os"
	"os/user"
	"strings"

	"zabbix-agent2-plugin-hosting/plugin/table"
)

// finding is one line of the doctor's report.
type finding struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Less says that it works in part, or not on this kernel, and that nothing else needs it: there is nothing to mend that must be.
	Less  bool   `json:"less,omitempty"`
	Found string `json:"found"`
	Mend  string `json:"mend,omitempty"` // a command, or what to do
}

// broken is the finding of what does not work. An error ends with what mends it; the doctor's own command takes its place.
func broken(name, problem, mend string) finding {
	if mend != "" {
		problem, _, _ = strings.Cut(problem, "; ")
	}

	return finding{Name: name, Found: problem, Mend: mend}
}

func (a *app) showFindings(findings []finding, asJSON bool) error {
	if asJSON {
		return a.printJSON(findings)
	}

	text := table.Table{Columns: []table.Column{{Title: ""}, {Title: "check"}, {Title: "found"}}}
	for _, f := range findings {
		found := f.Found
		if f.Mend != "" {
			found += "; mend: " + f.Mend
		}

		text.Add(f.mark(), f.Name, found)
	}

	_, err := fmt.Fprintf(a.out, "%s %s as user %s\n\n%s", Program, a.version, userName(), a.paintMarks(text.String()))

	return err
}

const (
	markOK   = "ok"
	markLess = "--"
	markBad  = "NO"
)

func (f finding) named(name string) finding {
	f.Name = name

	return f
}

func (f finding) mark() string {
	switch {
	case f.OK:
		return markOK
	case f.Less:
		return markLess
	}

	return markBad
}

// paintMarks colors the mark at the start of each line; a table takes no color itself, as that would spoil its widths.
func (a *app) paintMarks(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, markOK); ok {
			lines[i] = a.paint(green, markOK) + rest
		} else if rest, ok := strings.CutPrefix(line, markBad); ok {
			lines[i] = a.paint(red, markBad) + rest
		}
	}

	return strings.Join(lines, "\n")
}

func userName() string {
	if current, err := user.Current(); err == nil {
		return current.Username
	}

	return fmt.Sprint(os.Getuid())
}
