package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The versions are those that were measured, and their neighbours by nginx's own history.
func TestVersionsHaveTheirOwnFaults(t *testing.T) {
	type faults struct{ JoinsGroups, TakesDatagrams, LacksLogOption bool }
	for text, want := range map[string]faults{
		"1.9.0":  {false, true, true},
		"1.9.1":  {true, true, true},
		"1.10.3": {true, true, true},
		"1.12.1": {true, true, true},
		"1.12.2": {false, true, true},
		"1.13.0": {true, true, true},
		"1.13.3": {true, true, true},
		"1.13.4": {false, true, true},
		"1.19.4": {false, true, true},
		"1.19.5": {false, true, false},
		"1.20.2": {false, true, false},
		"1.21.0": {false, true, false},
		"1.21.1": {false, false, false},
		"1.31.4": {false, false, false},
		"2.0.0":  {false, false, false},
	} {
		v, err := parseVersion(text)
		require.NoError(t, err)
		require.Equal(t, want, faults{v.joinsGroups(), v.takesDatagrams(), !v.knowsLogOption()}, text)
		require.Equal(t, v.takesDatagrams(), v.clonesSockets(), text)
	}
}
