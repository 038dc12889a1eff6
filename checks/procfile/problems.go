package procfile

import "fmt"

const (
	maxProblems = 10
	maxQuoted   = 80
)

// Problems is what was odd in a file, in the order it was found. It keeps the first few and counts the others, so that
// a file of nothing but nonsense yields a short report. The zero value is ready for use.
type Problems struct {
	kept []string
	more int
}

// Addf notes one problem.
func (p *Problems) Addf(format string, args ...any) {
	if len(p.kept) == maxProblems {
		p.more++

		return
	}

	p.kept = append(p.kept, fmt.Sprintf(format, args...))
}

// Reset forgets everything.
func (p *Problems) Reset() { p.kept, p.more = p.kept[:0], 0 }

// Any says whether there is a problem.
func (p *Problems) Any() bool { return len(p.kept) > 0 }

// List returns a copy, closed by "and N more" where more were found than are kept; nil when there are none.
func (p *Problems) List() []string {
	if !p.Any() {
		return nil
	}

	list := append(make([]string, 0, len(p.kept)+1), p.kept...)
	if p.more > 0 {
		list = append(list, fmt.Sprintf("and %d more", p.more))
	}

	return list
}

// Quote quotes a line for a problem, cut where it is too long to be read.
func Quote(line []byte) string {
	if len(line) > maxQuoted {
		return fmt.Sprintf("%q...", line[:maxQuoted])
	}

	return fmt.Sprintf("%q", line)
}
