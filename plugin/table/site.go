package table

import (
	"fmt"

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

	text += "\n"
	if r.Sentence != "" {
		text += r.Sentence + "\n"
	}

	return text
}
