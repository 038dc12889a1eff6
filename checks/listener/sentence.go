package listener

import "fmt"

// sentence tells an administrator which clients of nginx the strangers take.
func (in *intrusion) sentence() string {
	s := in.strangers[0]
	theirs, own := s.socket.name(), s.own.name()

	switch {
	case s.relation == RelationMoreSpecific:
		return fmt.Sprintf("%s is more specific than nginx's %s: it gets all new %s %s", theirs, own, s.clients(), s.part())
	case s.relation == RelationLessSpecific:
		return fmt.Sprintf("%s is less specific than nginx's %s: it gets those %s only while nginx does not listen", theirs, own, s.clients())
	case s.socket.place() != s.own.place():
		return fmt.Sprintf("%s and nginx's %s are equally specific: it depends on their order which one gets the %s", theirs, own, s.clients())
	}

	head := fmt.Sprintf("%d of the %d sockets on %s are not nginx's: ", len(in.strangers), in.sockets, theirs)
	if share := in.sharePct(); share != nil {
		return head + fmt.Sprintf("the kernel gives them about %.0f %% of the new connections", *share)
	}

	return head + "they take " + s.clients() + " that were sent to nginx"
}

// name is the address, with the device where the socket is bound to one.
func (s *Socket) name() string {
	if s.InterfaceIndex == 0 {
		return s.Address.String()
	}

	if s.Interface == "" {
		return fmt.Sprintf("%s on interface %d", s.Address, s.InterfaceIndex)
	}

	return s.Address.String() + " on " + s.Interface
}

func (s *stranger) clients() string {
	if s.socket.Network == TCP {
		return "connections"
	}

	return "datagrams"
}

// part names the clients of nginx's address that a more specific one takes.
func (s *stranger) part() string {
	addr := s.socket.Address.Addr()

	switch {
	case !addr.IsUnspecified():
		return "to " + addr.String()
	case s.socket.InterfaceIndex != 0:
		return "through this interface"
	}

	return "over IPv4"
}
