package site

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// answering accepts connections, reads a request of each, sends text and then, where it hangs, nothing more.
func answering(t *testing.T, text string, hangs bool) string {
	t.Helper()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })

	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}

			go func() {
				defer conn.Close()

				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}

				_, _ = io.WriteString(conn, text)
				if hangs {
					_, _ = io.Copy(io.Discard, conn)
				}
			}()
		}
	}()

	return "http://" + listener.Addr().String() + "/"
}

// A program that is no web server often says one line, or half of one, and closes.
func TestWhatIsNoHTTPIsNoTruncatedAnswer(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		text   string
		reason Reason
	}{
		"a banner":              {"SSH-2.0-OpenSSH_9.2\r\n", ReasonProtocolError},
		"bytes without a line":  {"\x00\x01\x02garbage", ReasonProtocolError},
		"a page without header": {"<html>hello</html>", ReasonProtocolError},
		"half of a status line": {"HTTP/1.", ReasonTruncated},
		"two bytes of HTTP":     {"HT", ReasonTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			result := proberOf(t, answering(t, c.text, false)).Probe(context.Background())
			require.Equal(t, c.reason, result.Reason, result.Sentence)
		})
	}
}

func TestAHeaderThatStallsIsATransferTimeout(t *testing.T) {
	t.Parallel()

	prober := proberOf(t, answering(t, "HTTP/1.1 200 OK\r\nX", true))
	prober.target.Timeout = 200 * time.Millisecond
	result := prober.Probe(context.Background())

	require.Equal(t, ReasonTransferTimeout, result.Reason)
	require.Equal(t, "transfer", result.Phase)
}

// 500 sites with a dead resolver held 3,000 descriptors: Go's resolver reads on for 5 s after its caller has gone.
func TestALookupThatTimesOutLeavesNothingBehind(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)

	defer silent.Close()

	prober := proberOf(t, "http://shop.example/")
	prober.target.Timeout, prober.target.Resolver = 50*time.Millisecond, silent.LocalAddr().String()
	goroutines, descriptors := usage(t)

	for range 20 {
		require.Equal(t, ReasonDNSTimeout, prober.Probe(context.Background()).Reason)
	}

	require.Eventually(t, func() bool {
		nowGoroutines, nowDescriptors := usage(t)

		return nowGoroutines <= goroutines+3 && nowDescriptors <= descriptors+3
	}, time.Second, 10*time.Millisecond)
}

func TestTheSentenceNamesTheDNSServerThatWasAsked(t *testing.T) {
	t.Parallel()

	prober := proberOf(t, "http://shop.example/")
	prober.target.Resolver = "127.0.0.1:1"
	result := prober.Probe(context.Background())

	require.Equal(t, ReasonDNSFailed, result.Reason)
	require.Contains(t, result.Sentence, "on 127.0.0.1:1")
}

func TestAnAddressOfAnotherVersionOfIPIsNoFailureOfTheSite(t *testing.T) {
	t.Parallel()

	target, err := NewTarget("http://[::1]:1/")
	require.NoError(t, err)

	target.Source = netip.MustParseAddr("127.0.0.1")
	require.Equal(t, ReasonLocalError, NewProber(target).Probe(context.Background()).Reason)
}

func TestAProbeThatIsCanceledForACauseOfItsOwnIsNoFailureOfTheSite(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("shutting down"))
	require.Equal(t, ReasonLocalError, proberOf(t, "http://127.0.0.1:1/").Probe(ctx).Reason)
}

func TestEvidenceHoldsNothingThatATerminalObeys(t *testing.T) {
	t.Parallel()

	require.Equal(t, "?[2J?\n\ta??b", capText("\x1b[2J\x07\n\ta\u009b\u202eb", textLimit))
}
