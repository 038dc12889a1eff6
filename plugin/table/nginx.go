package table

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/nginx"
)

// How much of a program's output a table shows.
const (
	maxOutputLines = 5
	maxOutputLine  = 200
)

// Nginx returns what is known of one nginx instance as text.
func Nginx(r *nginx.Report) string {
	var text strings.Builder

	fmt.Fprintf(&text, "%s  %s\n", onLine(r.Instance), onLine(nginxProgram(r)))

	lines := Table{Columns: []Column{{}, {}}}
	lines.Add("  state", nginxState(r))

	for _, m := range slices.Concat(r.Errors, r.Warnings) {
		// The first is the state's sentence.
		if text := nginxMessage(m); text != r.Sentence {
			lines.Add("", m.Level+": "+text)
		}
	}

	if r.MessagesOmitted > 0 {
		lines.Add("", fmt.Sprintf("and %d messages more", r.MessagesOmitted))
	}

	lines.Add("  test", nginxTest(r))

	for _, line := range outputEnd(r) {
		lines.Add("  output", line)
	}

	if r.Master != nil {
		lines.Add("  reload", nginxReload(r))
	}

	if r.UnitState != nil {
		lines.Add("  unit", unitLine(r.UnitState))
	}

	if r.Test != nil && len(r.Test.Listens) > 0 {
		listens := strings.Join(r.Test.Listens, ", ")
		if r.Test.ListensOmitted > 0 {
			listens += fmt.Sprintf(" and %d more", r.Test.ListensOmitted)
		}

		lines.Add("  listens", listens)
	}

	for _, h := range r.Hazards {
		lines.Add("  hazard", strings.TrimSpace(h.Name+" "+h.Where)+": "+h.Sentence)
	}

	for _, f := range r.Foreigners {
		lines.Add("  foreigner", f.Sentence)
	}

	for _, e := range r.SideEffects {
		lines.Add("  side effect", e.Sentence)
	}

	for _, p := range r.Problems {
		lines.Add("  note", p)
	}

	_, body, _ := strings.Cut(lines.String(), "\n")
	text.WriteString(body)

	return text.String()
}

func nginxProgram(r *nginx.Report) string {
	program := strings.TrimSpace(r.Product + " " + r.Binary)
	if r.BinaryReplaced {
		program += " (the running program's file was replaced; this is the new one)"
	}

	if r.Master == nil {
		return program + ", not running"
	}

	program += fmt.Sprintf(", master %d with %d workers", r.Master.PID, r.Master.Workers)
	if r.Master.Unit != "" {
		program += " of " + r.Master.Unit
	}

	return program
}

func nginxState(r *nginx.Report) string {
	if r.Sentence == "" {
		return r.StateName
	}

	return r.StateName + ": " + r.Sentence
}

func nginxMessage(m nginx.Message) string {
	if m.File == "" {
		return m.Text
	}

	return fmt.Sprintf("%s in %s:%d", m.Text, m.File, m.Line)
}

func nginxTest(r *nginx.Report) string {
	var parts []string

	switch t := r.Test; {
	case t == nil:
	case t.TechniqueName == "":
		parts = append(parts, "could not be made, "+age(t.AgeS)+" ago")
	default:
		parts = append(parts, fmt.Sprintf("%s ago in %s by %s, %d files read", age(t.AgeS), Seconds(t.DurationS), t.TechniqueName, t.FilesRead))
		if t.ChangedFile != "" {
			parts = append(parts, "made because "+t.ChangedFile+" had changed")
		}
	}

	if r.TestRunning {
		parts = append(parts, "one is running for "+age(r.TestRunningS))
	}

	return strings.Join(parts, "; ")
}

// outputEnd is the end of what a program printed that gave no verdict.
func outputEnd(r *nginx.Report) []string {
	if r.State != nginx.StateNotTested || r.Test == nil || len(r.Errors) > 0 {
		return nil
	}

	lines := slices.DeleteFunc(strings.Split(r.Test.Output, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
	lines = lines[max(0, len(lines)-maxOutputLines):]

	for i, line := range lines {
		if len(line) > maxOutputLine {
			lines[i] = strings.ToValidUTF8(line[:maxOutputLine], "") + "…"
		}
	}

	return lines
}

func nginxReload(r *nginx.Report) string {
	if r.ReloadPending {
		return "pending for " + age(r.ReloadPendingS) + ": the workers run with another configuration than what is on disk"
	}

	return "last " + local(float64(r.Master.LoadedAt))
}

func age(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(time.Second).String()
}
