//go:build wordpress

// These tests fetch and unpack some 60 MB, so `make wordpress` runs them and `make test` does not.

package wordpress

import (
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/site"
)

const databaseError = "Error establishing a database connection"

func TestAProbeTellsWhichPartOfWordPressIsDown(t *testing.T) {
	wordpress := StartT(t)
	target, err := site.NewTarget(wordpress.URL())
	require.NoError(t, err)
	target.BodyMatch = regexp.MustCompile(regexp.QuoteMeta(Title))
	strict := site.NewProber(target)
	target.BodyForbid, target.Status = regexp.MustCompile(databaseError), anyStatus(t)
	lenient := site.NewProber(target)

	nothing := func() error { return nil }
	for _, step := range []struct {
		name            string
		do              func() error
		strict, lenient site.Reason
		status          int
	}{
		{"all runs", nothing, site.ReasonOK, site.ReasonOK, http.StatusOK},
		{"without the database", wordpress.StopDatabase, site.ReasonStatusUnexpected, site.ReasonBodyForbidden, http.StatusInternalServerError},
		{"still without it", wordpress.StopDatabase, site.ReasonStatusUnexpected, site.ReasonBodyForbidden, http.StatusInternalServerError},
		{"with the database again", wordpress.StartDatabase, site.ReasonOK, site.ReasonOK, http.StatusOK},
		{"without PHP", wordpress.StopPHP, site.ReasonStatusUnexpected, site.ReasonBodyMismatch, http.StatusBadGateway},
		{"with PHP again", wordpress.StartPHP, site.ReasonOK, site.ReasonOK, http.StatusOK},
	} {
		require.NoError(t, step.do(), step.name)
		result := strict.Probe(t.Context())
		require.Equal(t, step.strict, result.Reason, "%s: %s", step.name, result.Sentence)
		require.Equal(t, step.status, result.Status, step.name)
		result = lenient.Probe(t.Context())
		require.Equal(t, step.lenient, result.Reason, "%s, whatever the status: %s", step.name, result.Sentence)
	}
}

func TestAStoppedWordPressLeavesNothing(t *testing.T) {
	wordpress := StartT(t)
	address := strings.Trim(strings.TrimPrefix(wordpress.URL(), "http://"), "/")
	require.NoError(t, wordpress.Stop())
	_, err := net.Dial("tcp4", address)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NoDirExists(t, wordpress.dir)
	require.False(t, answers(wordpress.databaseSocket()))
	require.NoError(t, wordpress.Stop())
}

func anyStatus(t *testing.T) site.StatusSet {
	set, err := site.ParseStatusSet("100-599")
	require.NoError(t, err)
	return set
}
