package table

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

const failureIndent = "  "

// lastFailures returns the lines about the last failure of each site, those that fail now first and then those that failed most.
func lastFailures(all []Watched, look Look) [][]string {
	failed := slices.DeleteFunc(slices.Clone(all), func(w Watched) bool { return len(w.Evidence) == 0 })
	slices.SortStableFunc(failed, func(a, b Watched) int {
		return cmp.Or(
			trueFirst(isFailing(a), isFailing(b)),
			cmp.Compare(b.Failed, a.Failed),
		)
	})

	blocks := make([][]string, len(failed))

	for i, w := range failed {
		last := w.Evidence[0]
		text := fmt.Sprintf("%s %s %s: %s", time.Unix(last.At, 0).Format(time.TimeOnly), w.name(), last.ReasonName, last.Sentence)
		blocks[i] = wrap(text, look.Columns-len(failureIndent)-width(look.glyphs().cut))

		for line := 1; line < len(blocks[i]); line++ {
			blocks[i][line] = failureIndent + blocks[i][line]
		}
	}

	return blocks
}

// countLines is how many lines fill needs for everything.
func countLines(blocks [][]string) int {
	lines := 0
	for _, block := range blocks {
		lines += len(block)
	}

	if lines > 0 {
		lines++ // an empty one before them
	}

	return lines
}

// fill returns whole blocks for so many lines, an empty one before them; of the first one only a part where it is longer.
func fill(blocks [][]string, lines int, g glyphs) string {
	var text strings.Builder

	for i, block := range blocks {
		if i == 0 && lines > 1 {
			text.WriteString("\n")

			lines--

			if lines < len(block) {
				block = append(block[:lines-1:lines-1], block[lines-1]+g.cut)
			}
		}

		if lines -= len(block); lines < 0 {
			break
		}

		text.WriteString(strings.Join(block, "\n") + "\n")
	}

	return text.String()
}
