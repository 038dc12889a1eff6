package badsite

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// companion is the second server that a redirect leads to.
type companion int

const (
	alone companion = iota
	// otherHost is a good site on 127.0.0.2.
	otherHost
	// otherTLS is a good site with TLS.
	otherTLS
	// otherRefused is a port where nobody listens.
	otherRefused
)

const (
	hopPrefix = "/hop/"
	// DefaultRedirects is how many redirects a prober follows by itself.
	DefaultRedirects = 5
)

func redirectBehaviors() []Behavior {
	return []Behavior{
		RedirectChain(3), RedirectRelative(), RedirectToOtherHost(), RedirectToTLS(), RedirectToRefused(),
		RedirectLoop(), longChain(), RedirectNowhere(), RedirectToGarbage(),
	}
}

// RedirectChain leads over n redirects to the good page.
func RedirectChain(n int) Behavior {
	b := fine(fmt.Sprintf("redirect_chain_%d", n), fmt.Sprintf("leads over %d redirects to a page", n), chain)
	b.Probe.Path = hopPrefix + strconv.Itoa(n)
	return b
}

// longChain is one redirect too many for a prober that follows as many as by default.
func longChain() Behavior {
	b := RedirectChain(DefaultRedirects + 1)
	b.Reason, b.Phase = "redirect_loop", "wait"
	return b
}

// RedirectRelative leads to a page by a relative reference.
func RedirectRelative() Behavior {
	b := fine("redirect_relative", "leads from /shop/ to ../page?x=1", func(v *visit) ending {
		switch {
		case !v.request():
		case v.path == "/shop/":
			v.redirect("../page?x=1")
		default:
			v.send(whole(http.StatusOK, goodPage))
		}
		return orderly
	})
	b.Probe.Path = "/shop/"
	return b
}

// RedirectToOtherHost leads to a page on another address.
func RedirectToOtherHost() Behavior {
	return leads("redirect_to_other_host", "leads to a page on 127.0.0.2", otherHost)
}

// RedirectToTLS leads from http to https.
func RedirectToTLS() Behavior {
	return leads("redirect_to_tls", "leads from http to a page on https", otherTLS)
}

// RedirectToRefused leads to a port where nobody listens: the second hop fails.
func RedirectToRefused() Behavior {
	b := leads("redirect_to_refused", "leads to a port where nobody listens", otherRefused)
	b.Reason, b.Phase = "connect_refused", "connect"
	return b
}

// RedirectLoop leads in a circle.
func RedirectLoop() Behavior {
	return Behavior{Name: "redirect_loop", Does: "leads from / to /again and back", Reason: "redirect_loop", Phase: "wait", answer: func(v *visit) ending {
		switch {
		case !v.request():
		case v.path == "/":
			v.redirect("/again")
		default:
			v.redirect("/")
		}
		return orderly
	}}.probed()
}

// RedirectNowhere has no Location.
func RedirectNowhere() Behavior {
	return Behavior{Name: "redirect_nowhere", Does: "answers 302 without a Location", Reason: "protocol_error", Phase: "wait", answer: says(whole(http.StatusFound, ""))}.probed()
}

// RedirectToGarbage has a Location that is no URL.
func RedirectToGarbage() Behavior {
	return Behavior{
		Name: "redirect_to_garbage", Does: "answers 302 with a Location that is no URL", Reason: "protocol_error", Phase: "wait",
		answer: says(header(http.StatusFound, "Location: http://[::1:/\r\nContent-Length: 0\r\n")),
	}.probed()
}

// leads makes a behavior that leads to the server's companion.
func leads(name, does string, to companion) Behavior {
	b := fine(name, does, func(v *visit) ending {
		if v.request() {
			v.redirect(v.server.companionURL())
		}
		return orderly
	})
	b.companion = to
	return b
}

func chain(v *visit) ending {
	if !v.request() {
		return orderly
	}
	left, err := strconv.Atoi(strings.TrimPrefix(v.path, hopPrefix))
	switch {
	case err != nil:
		v.send(whole(http.StatusNotFound, "no such hop\n"))
	case left == 0:
		v.send(whole(http.StatusOK, goodPage))
	default:
		v.redirect(hopPrefix + strconv.Itoa(left-1))
	}
	return orderly
}

func (v *visit) redirect(location string) {
	v.send(header(http.StatusFound, "Location: "+location+"\r\nContent-Length: 0\r\n"))
}

// accompany starts the companion that a behavior needs, in the place of the last one.
func (s *Server) accompany(kind companion) error {
	if kind == alone {
		return nil
	}
	b, address := OK(), s.address
	switch kind {
	case otherHost:
		address = [4]byte{127, 0, 0, 2}
	case otherTLS:
		b = OKOverTLS()
	case otherRefused:
		b = Refused()
	}
	other, err := start(b, address, WithAuthority(s.authority))
	if err != nil {
		return err
	}
	if s.other != nil {
		s.other.Close()
	}
	s.other = other
	return nil
}

func (s *Server) companionURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.other == nil {
		return s.URL()
	}
	return s.other.URL()
}
