package enum

import (
	"testing"

	"github.com/stretchr/testify/require"
)

type color int

var colors = Of[color]("color", "", "red", "green")

func TestAValueHasItsNameAndEveryOtherNumberSaysWhatItIs(t *testing.T) {
	t.Parallel()

	for value, want := range map[color]string{-1: "color_-1", 0: "color_0", 1: "red", 2: "green", 3: "color_3"} {
		require.Equal(t, want, colors.Name(value))
	}
}

func TestANameHasItsValue(t *testing.T) {
	t.Parallel()

	for name, want := range map[string]color{"red": 1, "green": 2, "": 0, "blue": 0, "color_0": 0} {
		value, ok := colors.Value(name)
		require.Equal(t, want, value, name)
		require.Equal(t, want != 0, ok, name)
	}
}

func TestAValueMapHasTheValuesOnly(t *testing.T) {
	t.Parallel()

	require.Equal(t, map[int]string{1: "red", 2: "green"}, colors.All())
}
