package oom

import (
	"math/bits"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const (
	kiB = 1024
	// smallestPage divides any size of page tables in bytes.
	smallestPage = 4096
)

// parseKilled reads what follows "Killed process " and returns a victim without time. The kernels differ:
//
//	2.6.32          11726, UID 498, (mysqld) total-vm:7823732kB, anon-rss:2539268kB, file-rss:768kB
//	3.10, 4.x       27438 (R) total-vm:38349780kB, anon-rss:1041924kB, file-rss:4kB, shmem-rss:0kB
//	RHEL 7          1705 (freeswitch), UID 0, total-vm:3770896kB, ...
//	5.3 and later   10717 (tail) total-vm:23140kB, ..., shmem-rss:0kB, UID:0 pgtables:84kB oom_score_adj:0
func parseKilled(text string) (Victim, bool) {
	pid := number(text)
	if pid == nil {
		return Victim{}, false
	}

	// Names hold spaces and parentheses, e.g. "((sd-pam))", so the outermost ones count.
	head, sizes := text, ""
	if i := strings.LastIndex(text, "total-vm:"); i >= 0 {
		head, sizes = text[:i], text[i:]
	}

	first, last := strings.Index(head, "("), strings.LastIndex(head, ")")
	if first < 0 || last < first || last-first > maxName {
		return Victim{}, false
	}

	v := Victim{Name: procfile.Printable(head[first+1 : last]), PID: *pid, UID: bareUID(head[:first] + head[last+1:])}
	v.takeSizes(sizes)

	return v, true
}

// bareUID reads ", UID 498," of the older kernels.
func bareUID(text string) *int {
	_, rest, found := strings.Cut(text, "UID ")
	if !found {
		return nil
	}

	return number(rest)
}

func (v *Victim) takeSizes(text string) {
	var tables *uint64

	for field := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		name, value, _ := strings.Cut(field, ":")

		switch name {
		case "total-vm":
			v.TotalVMBytes = kBytes(value)
		case "anon-rss":
			v.AnonRSSBytes = kBytes(value)
		case "file-rss":
			v.FileRSSBytes = kBytes(value)
		case "shmem-rss":
			v.ShmemRSSBytes = kBytes(value)
		case "pgtables":
			tables = kBytes(value)
		case "UID":
			v.UID = number(value)
		case "oom_score_adj":
			v.OOMScoreAdj = signed(value)
		}
	}

	v.sumRSS()
	v.PageTablesBytes = v.mendTables(tables)
}

// sumRSS adds up what is known.
func (v *Victim) sumRSS() {
	for _, part := range []*uint64{v.AnonRSSBytes, v.FileRSSBytes, v.ShmemRSSBytes} {
		if part != nil && v.RSSBytes == nil {
			v.RSSBytes = new(uint64)
		}

		if part != nil {
			*v.RSSBytes += *part
		}
	}
}

// mendTables undoes a bug of kernels 5.3 to 5.4.8, which print the bytes of the page tables as if they were kB: such a
// number is a multiple of the page size and more than the process has in memory.
func (v *Victim) mendTables(tables *uint64) *uint64 {
	if tables == nil || v.RSSBytes == nil {
		return tables
	}

	if *tables > *v.RSSBytes && *tables%(smallestPage*kiB) == 0 {
		return new(*tables / kiB)
	}

	return tables
}

// kBytes reads "123kB", nil where that is not a size.
func kBytes(text string) *uint64 {
	digits, ok := strings.CutSuffix(text, "kB")
	if !ok {
		return nil
	}

	value, ok := procfile.Uint([]byte(digits))
	if !ok {
		return nil
	}

	overflow, value := bits.Mul64(value, kiB)
	if overflow != 0 {
		return nil
	}

	return &value
}

func signed(text string) *int {
	digits, negative := strings.CutPrefix(text, "-")

	value := number(digits)
	if value != nil && negative {
		*value = -*value
	}

	return value
}
