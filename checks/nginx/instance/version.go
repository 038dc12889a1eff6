package instance

import (
	"slices"
	"strconv"
	"strings"
)

// maxNumbers is how many numbers OpenResty's versions have, more than any other's.
const maxNumbers = 4

// Version is the numbers of a version, such as 1.22.1; empty where it is unknown.
type Version []int

// ParseVersion reads the numbers at the start of text: "1.25.3.1", "1.27.0 (Ubuntu)". It is empty where there are none.
func ParseVersion(text string) Version {
	var v Version

	for len(v) < maxNumbers {
		end := 0
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}

		number, err := strconv.Atoi(text[:end])
		if err != nil {
			break
		}

		v = append(v, number)

		if end == len(text) || text[end] != '.' {
			break
		}

		text = text[end+1:]
	}

	return v
}

// Compare is negative where v is the older one, 0 where they are the same.
func (v Version) Compare(other Version) int { return slices.Compare(v, other) }

// Between tells whether v is known and neither older than first nor newer than last.
func (v Version) Between(first, last Version) bool {
	return len(v) > 0 && v.Compare(first) >= 0 && v.Compare(last) <= 0
}

// String is the version as it is written; empty where it is unknown.
func (v Version) String() string {
	text := make([]string, len(v))
	for i, number := range v {
		text[i] = strconv.Itoa(number)
	}

	return strings.Join(text, ".")
}

// MarshalText makes it a string in JSON.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (v *Version) UnmarshalText(text []byte) error {
	*v = ParseVersion(string(text))

	return nil
}
