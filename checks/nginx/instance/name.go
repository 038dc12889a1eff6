package instance

import (
	"fmt"
	"hash/fnv"
	"strings"
	"unicode"
)

// nameOf names a running instance by what does not change while it runs, and not when another one appears.
func nameOf(config string, m *Master) string {
	name := config
	if m.Root.Differs {
		name += "@" + m.Unit
	}

	return cleanName(name, maxName)
}

// cleanName makes a name of at most limit bytes that can be printed. What it cuts is told apart by a checksum.
func cleanName(name string, limit int) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return '?'
		}

		return r
	}, name)

	if len(clean) <= limit && clean == name {
		return name
	}

	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name))
	end := fmt.Sprintf("~%08x", hash.Sum32())

	return strings.ToValidUTF8(clean[:min(len(clean), limit-len(end))], "") + end
}
