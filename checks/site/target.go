package site

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	defaultTimeout      = 10 * time.Second
	defaultBodyLimit    = 1 << 20
	defaultMaxRedirects = 5
	defaultStatus       = "200-399"
	maxURL              = 2048
)

// Target is what to request and what to expect. NewTarget makes one with the defaults.
type Target struct {
	// URL is absolute, http or https. A user and password in it are sent as basic authentication and never reported. Like
	// the headers Authorization, Proxy-Authorization and Cookie they do not follow a redirect to another scheme, host or port.
	URL *url.URL
	// Connect is a "host:port" to connect to instead of the URL's; Host and certificate name stay the URL's. A redirect
	// to another port of the same host goes to Connect's host and that port, one to another host where its name leads.
	Connect string
	// Source is the local address to connect from; the zero address leaves it to the kernel.
	Source netip.Addr
	// Family is 4 or 6 to use this version of IP only, 0 for both.
	Family int
	// Resolver is the "ip:port" of a DNS server to ask; empty is the system's.
	Resolver string
	// Method is the request's; empty is GET.
	Method string
	// Header is sent beside net/http's own; Host in it replaces the URL's.
	Header http.Header
	// Timeout is for the whole probe, redirects included; 10 s where it is not positive.
	Timeout time.Duration
	// Status is which statuses are a success.
	Status StatusSet
	// BodyMatch must be found in the decoded body as far as it was read, and BodyForbid must not.
	BodyMatch, BodyForbid *regexp.Regexp
	// BodyLimit is where reading the decoded body stops, in bytes. That is not a failure.
	BodyLimit int64
	// MaxRedirects is how many redirects are followed; with 0 a redirect is judged by Status.
	MaxRedirects int
	// VerifyCertificate tells whether a certificate that cannot be trusted is a failure.
	VerifyCertificate bool
	// RootCAs are whom to trust; nil is the system's.
	RootCAs *x509.CertPool
	// HTTP2 offers HTTP/2 to an https site.
	HTTP2 bool
	// Gzip asks for a compressed body. One that comes unasked is decoded too.
	Gzip bool
}

// NewTarget checks the URL and fills in the defaults. Its error never holds a password.
func NewTarget(rawURL string) (Target, error) {
	if len(rawURL) > maxURL {
		return Target{}, fmt.Errorf("cannot use a URL of %d bytes: use one of at most %d", len(rawURL), maxURL)
	}

	parsed, err := url.Parse(rawURL)
	if err != nil {
		// The error of url.Parse quotes the URL with its password.
		return Target{}, fmt.Errorf("cannot read the URL: it is malformed; write it as https://host/path")
	}

	if err := checkURL(parsed); err != nil {
		return Target{}, err
	}

	if parsed.Path == "" {
		parsed.Path = "/"
	}

	parsed.Fragment, parsed.RawFragment = "", ""

	status, err := ParseStatusSet(defaultStatus)

	return Target{
		URL: parsed, Method: http.MethodGet, Header: http.Header{}, Timeout: defaultTimeout, Status: status,
		BodyLimit: defaultBodyLimit, MaxRedirects: defaultMaxRedirects, VerifyCertificate: true,
	}, err
}

func checkURL(u *url.URL) error {
	if u == nil {
		return errors.New("cannot request a site without a URL; make its target with NewTarget")
	}

	shown := capText(displayURL(u), textLimit)

	if u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("cannot request %q: its scheme is not http or https; write it as https://host/path", shown)
	}

	host := u.Hostname()
	if host == "" {
		return fmt.Errorf("cannot request %q: it names no host; write it as https://host/path", shown)
	}

	if strings.ContainsFunc(host, func(r rune) bool { return r > '~' || r <= ' ' }) {
		return fmt.Errorf("cannot request %q: its host is not ASCII; write the name as DNS has it (xn--...)", shown)
	}

	if port := u.Port(); port != "" && !validPort(port) {
		return fmt.Errorf("cannot request %q: its port is not within 1 and 65535; use a port that TCP has", shown)
	}

	return nil
}

// CheckConnect fails where text is not a "host:port" to connect to.
func CheckConnect(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" || !validPort(port) {
		return fmt.Errorf("cannot connect to %q: it is not a host and a port; write it as 127.0.0.1:443 or [::1]:443", capText(text, textLimit))
	}

	return nil
}

func validPort(port string) bool {
	number, err := strconv.ParseUint(port, 10, 16)

	return err == nil && number > 0
}

// displayURL is the URL without user and password, empty where there is none.
func displayURL(u *url.URL) string {
	if u == nil {
		return ""
	}

	shown := *u
	shown.User = nil
	// Of a URL without // they are in what is not understood.
	shown.Opaque = shown.Opaque[strings.LastIndexByte(shown.Opaque, '@')+1:]

	return shown.String()
}

// portOf is the port that a URL leads to.
func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}

	if u.Scheme == "https" {
		return "443"
	}

	return "80"
}
