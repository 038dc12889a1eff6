package unit

import (
	"context"
	"os"
	"strconv"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

// connectLimit is what a connection may take. It is made in the background, so that a host too slow for patience has it for a
// later question.
const connectLimit = 5 * time.Second

// link is a connection that is being made, stands or has failed.
type link struct {
	// made is closed when conn or err is there.
	made chan struct{}
	conn *systemd.Conn
	err  error
	// end closes the connection, whatever it is doing.
	end context.CancelFunc
}

func connect(busPath string) *link {
	ctx, end := context.WithCancel(context.Background())
	l := &link{made: make(chan struct{}), end: end}

	go func() {
		defer close(l.made)

		limit := time.AfterFunc(connectLimit, end)
		l.conn, l.err = systemd.NewConnection(func() (*dbus.Conn, error) { return dial(ctx, busPath) })

		if !limit.Stop() && l.err == nil {
			l.err = errSilent
		}

		if l.err != nil {
			end()
		}
	}()

	return l
}

// dial takes the uid's number, as a name would have to be looked up.
func dial(ctx context.Context, busPath string) (*dbus.Conn, error) {
	return dbus.Connect("unix:path="+dbus.EscapeBusAddressValue(busPath), dbus.WithContext(ctx),
		dbus.WithAuth(dbus.AuthExternal(strconv.Itoa(os.Geteuid()))))
}

func (l *link) isMade() bool {
	select {
	case <-l.made:
		return true
	default:
		return false
	}
}

func (l *link) broken() bool { return l.isMade() && (l.err != nil || !l.conn.Connected()) }
