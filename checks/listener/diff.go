package listener

// Changes are the sockets that came and went between two snapshots of one query.
type Changes struct {
	Appeared []Socket
	Vanished []Socket
	// Incomplete says that a snapshot had more sockets than it keeps.
	Incomplete bool
}

// identity is what tells a socket from all others.
type identity struct {
	cookie uint64
	inode  uint32
	place  place
}

// Diff compares two snapshots of one query. A socket that was there in both is told from another at the same address by
// its cookie, or by its inode where the kernel's cookies are not known. Every program that sends over UDP without a
// connection appears with a socket, so ask for TCP or for a port if that is not meant.
func Diff(before, after *Snapshot) Changes {
	byCookie := haveCookies(before.Sockets) && haveCookies(after.Sockets)

	return Changes{
		Appeared:   missingIn(before.Sockets, after.Sockets, byCookie),
		Vanished:   missingIn(after.Sockets, before.Sockets, byCookie),
		Incomplete: before.Omitted > 0 || after.Omitted > 0,
	}
}

func haveCookies(sockets []Socket) bool {
	for i := range sockets {
		if sockets[i].Cookie == 0 {
			return false
		}
	}

	return true
}

func (s *Socket) identity(byCookie bool) identity {
	if byCookie {
		return identity{cookie: s.Cookie}
	}

	// Without sock_diag neither device nor v6only are known.
	return identity{inode: s.Inode, place: place{network: s.Network, address: s.Address}}
}

// missingIn returns the sockets of all that are not in some.
func missingIn(some, all []Socket, byCookie bool) (missing []Socket) {
	known := make(map[identity]struct{}, len(some))
	for i := range some {
		known[some[i].identity(byCookie)] = struct{}{}
	}

	for i := range all {
		if _, is := known[all[i].identity(byCookie)]; !is {
			missing = append(missing, all[i])
		}
	}

	return missing
}
