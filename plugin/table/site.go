package table

import (
	"fmt"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/site"
)

// Probe returns one request's phases, and how it failed if it did, as text.
func Probe(r *site.Result) string {
	phases := Table{Columns: []Column{{Title: "phase"}, {Title: "time", Right: true}}}
	for _, part := range []struct {
		name    string
		seconds float64
	}{
		{"resolve", r.Phases.ResolveS}, {"connect", r.Phases.ConnectS}, {"tls", r.Phases.TLSS}, {"send", r.Phases.SendS},
		{"wait", r.Phases.WaitS}, {"transfer", r.Phases.TransferS}, {"other", r.Phases.OtherS}, {"total", r.TotalS},
	} {
		phases.Add(part.name, fmt.Sprintf("%.1f ms", 1000*part.seconds))
	}

	text := phases.String() + "\n" + r.ReasonName
	if r.Status != 0 {
		text += fmt.Sprintf(", status %d, %s, %s", r.Status, r.Protocol, Bytes(uint64(max(0, r.Bytes))))
	}

	if r.CertificateDays != nil {
		text += fmt.Sprintf(", certificate valid for %.0f days", *r.CertificateDays)
	}

	text += "\n" + deadAddresses(r.ConnectAttempts)

	if r.Sentence != "" {
		text += onLine(r.Sentence) + "\n"
	}

	return text
}

// deadAddresses has a line for each address that was tried in vain.
func deadAddresses(attempts []site.ConnectAttempt) string {
	var text strings.Builder

	for _, a := range attempts {
		if a.Error != "" {
			text.WriteString(onLine(a.Address+" did not connect: "+a.Error) + "\n")
		}
	}

	return text.String()
}

// Probed is one probe of a configured site.
type Probed struct {
	Site string `json:"site,omitempty"` // none for a URL
	*site.Result
}

// Probes returns the results of one probe of each site. Where columns is more than 0, sentences are broken into lines to fit.
func Probes(all []Probed, columns int, colors Colors) string {
	text := Table{Fit: columns, Columns: []Column{
		{Title: "site"}, {Title: "reason"}, {Title: "status"}, {Title: "total", Right: true}, {Title: "wait", Right: true}, {Title: "sentence"},
	}}

	for _, p := range all {
		status := unknown
		if p.Status != 0 {
			status = fmt.Sprint(p.Status)
		}

		text.Add(p.Site, p.ReasonName, status, Seconds(p.TotalS), duration(p.Phases.WaitS), p.Sentence)
	}

	text.Paint = func(row, column int, cell string) string {
		if column == 1 && isBad(all[row].Reason) {
			return colors.Bad(cell)
		}

		return cell
	}

	return text.String()
}

// isBad tells that a site failed, and not the probe.
func isBad(reason site.Reason) bool { return reason != site.ReasonOK && reason.Tested() }

// duration writes a phase, unless there was none.
func duration(s float64) string {
	if s <= 0 {
		return unknown
	}

	return Seconds(s)
}
