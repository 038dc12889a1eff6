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

	// What is meant for one host is not told to another.
	if !strings.EqualFold(bare.Hostname(), t.URL.Hostname()) {
		for _, secret := range []string{"Authorization", "Cookie", "Host"} {
			request.Header.Del(secret)
		}
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

	if user := h.url.User; user != nil {
		password, _ := user.Password()
		request.SetBasicAuth(user.Username(), password)
	}

	return request
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

	// A relative reference keeps the user; an absolute one to the same host gets it.
	if next.User == nil && strings.EqualFold(next.Hostname(), from.Hostname()) {
		next.User = from.User
	}

	next.Fragment, next.RawFragment = "", ""

	return next, checkURL(next)
}
