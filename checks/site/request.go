package site

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const userAgent = "zabbix-agent2-plugin-hosting"

func (r *run) request(h *hop, method string) *http.Request {
	t := &r.prober.target
	bare := *h.url
	bare.User = nil

	request := (&http.Request{
		Method: method, URL: &bare, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: t.Header.Clone(), Host: bare.Host,
	}).WithContext(h.context())
	if request.Header == nil {
		request.Header = http.Header{}
	}

	if !strings.EqualFold(bare.Hostname(), t.URL.Hostname()) {
		request.Header.Del("Host")
	}

	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}

	request.Header.Del("Host")

	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", userAgent)
	}

	if t.Gzip && request.Header.Get("Accept-Encoding") == "" {
		request.Header.Set("Accept-Encoding", "gzip")
	}

	h.authenticate(request, t)

	return request
}

// authenticate keeps the target's secrets to its own scheme, host and port, as browsers and curl do: another port may be
// another's, and http tells all who listen. A redirect may bring a user of its own.
func (h *hop) authenticate(request *http.Request, t *Target) {
	user := h.url.User

	if sameOrigin(h.url, t.URL) {
		if user == nil {
			user = t.URL.User
		}
	} else {
		h.withheld = t.URL.User != nil && user == nil

		for _, secret := range []string{"Authorization", "Proxy-Authorization", "Cookie"} {
			h.withheld = h.withheld || request.Header.Get(secret) != ""
			request.Header.Del(secret)
		}
	}

	if user != nil {
		password, _ := user.Password()
		request.SetBasicAuth(user.Username(), password)
	}
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func isRedirect(status int) bool {
	return slices.Contains([]int{301, 302, 303, 307, 308}, status)
}

// redirectMethod is what browsers do: all but 307 and 308 make a GET of what is not HEAD.
func redirectMethod(status int, method string) string {
	if status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect || method == http.MethodHead {
		return method
	}

	return http.MethodGet
}

var errNoLocation = errors.New("the redirect has no Location")

func location(from *url.URL, response *http.Response) (*url.URL, error) {
	text := response.Header.Get("Location")
	if text == "" {
		return nil, errNoLocation
	}

	next, err := from.Parse(text)
	if err != nil {
		return nil, errors.New("the redirect's Location is no URL")
	}

	next.Fragment, next.RawFragment = "", ""

	return next, checkURL(next)
}
