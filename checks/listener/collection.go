package listener

// maxSockets bounds the memory of a snapshot to some 20 MB.
const maxSockets = 100_000

// collection is what a snapshot is gathered in.
type collection struct {
	port    uint16
	sockets []Socket
	omitted int
}

// add keeps a socket of the port that is asked for, whatever else the kernel lists.
func (c *collection) add(s *Socket) {
	switch {
	case c.port != 0 && s.Address.Port() != c.port:
	case len(c.sockets) == maxSockets:
		c.omitted++
	default:
		c.sockets = append(c.sockets, *s)
	}
}
