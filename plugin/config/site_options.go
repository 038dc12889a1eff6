package config

import (
	"net/netip"
	"regexp"
	"slices"
	"time"

	"zabbix-agent2-plugin-hosting/checks/site"
)

const (
	minInterval     = 200 * time.Millisecond
	maxInterval     = time.Hour
	defaultInterval = 5 * time.Second
	minTimeout      = 100 * time.Millisecond
	maxTimeout      = time.Minute
	maxBodyLimit    = 64 << 20
	maxRedirects    = 20
)

// SiteOption describes one option of a test site, below Plugins.Hosting.Sites.<name>.
type SiteOption = NamedOption[site.Site]

// SiteOptions returns every option of a test site. URL comes first, as the others change what it sets.
func SiteOptions() []SiteOption {
	return slices.Concat(requestOptions(), connectionOptions(), expectationOptions())
}

func requestOptions() []SiteOption {
	return []SiteOption{
		{
			Name: "URL", Allowed: "an absolute http or https URL", Description: "What to request; the only option that a site needs.",
			required: true, public: withoutUser,
			set: func(s *site.Site, value string) (err error) {
				s.Target, err = site.NewTarget(value)

				return err
			},
		},
		{
			Name: "Interval", Default: "5s", Allowed: "a time from 200ms to 1h", Description: "From the start of one request to the next.",
			set: func(s *site.Site, value string) error { return setTime(&s.Interval, value, minInterval, maxInterval) },
		},
		{
			Name: "Timeout", Default: "10s", Allowed: "a time from 100ms to 1m", Description: "For the whole request, redirects included.",
			set: func(s *site.Site, value string) error {
				return setTime(&s.Target.Timeout, value, minTimeout, maxTimeout)
			},
		},
		{
			Name: "Method", Default: "GET", Allowed: "GET, HEAD, POST or OPTIONS", Description: "The request's method.",
			set: func(s *site.Site, value string) error {
				return setOneOf(&s.Target.Method, value, "GET", "HEAD", "POST", "OPTIONS")
			},
		},
		{
			Name: "Header", Allowed: "Name: value", Description: "A header to send; may be repeated. Authorization and Cookie stay with the URL's scheme, host and port, others follow redirects.", repeatable: true, public: withoutContent, set: addHeader,
		},
		{
			Name: "MaxRedirects", Default: "5", Allowed: "a whole number from 0 to 20", Description: "How many redirects to follow.",
			set: func(s *site.Site, value string) error {
				return setNumber(&s.Target.MaxRedirects, value, 0, maxRedirects)
			},
		},
		{
			Name: "HTTP2", Default: "false", Allowed: "true or false", Description: "Offer HTTP/2.",
			set: func(s *site.Site, value string) error { return setBool(&s.Target.HTTP2, value) },
		},
	}
}

func connectionOptions() []SiteOption {
	return []SiteOption{
		{
			Name: "Connect", Allowed: "host:port", Description: "Where to connect instead; Host and certificate name stay the URL's.",
			set: func(s *site.Site, value string) error {
				s.Target.Connect = value

				return site.CheckConnect(value)
			},
		},
		{
			Name: "Source", Allowed: "an IP address of this host", Description: "The address to connect from.",
			set: func(s *site.Site, value string) (err error) {
				s.Target.Source, err = netip.ParseAddr(value)

				return err
			},
		},
		{
			Name: "Family", Allowed: "4 or 6", Description: "Use this version of IP only.",
			set: func(s *site.Site, value string) error {
				var family string
				if err := setOneOf(&family, value, "4", "6"); err != nil {
					return err
				}

				return setNumber(&s.Target.Family, family, 4, 6)
			},
		},
		{
			Name: "Resolver", Allowed: "address:port", Description: "The DNS server to ask instead of the system's.",
			set: func(s *site.Site, value string) error {
				s.Target.Resolver = value
				_, err := netip.ParseAddrPort(value)

				return err
			},
		},
		{
			Name: "VerifyCertificate", Default: "true", Allowed: "true or false", Description: "Whether a certificate that cannot be trusted is a failure.",
			set: func(s *site.Site, value string) error { return setBool(&s.Target.VerifyCertificate, value) },
		},
	}
}

func expectationOptions() []SiteOption {
	return []SiteOption{
		{
			Name: "Status", Default: "200-399", Allowed: "codes and ranges, such as 200-299,301", Description: "Which statuses are a success.",
			set: func(s *site.Site, value string) (err error) {
				s.Target.Status, err = site.ParseStatusSet(value)

				return err
			},
		},
		{
			Name: "BodyMatch", Allowed: "a regular expression (RE2)", Description: "What the page must contain.",
			set: func(s *site.Site, value string) (err error) {
				s.Target.BodyMatch, err = regexp.Compile(value)

				return err
			},
		},
		{
			Name: "BodyForbid", Allowed: "a regular expression (RE2)", Description: "What the page must not contain, such as a database error.",
			set: func(s *site.Site, value string) (err error) {
				s.Target.BodyForbid, err = regexp.Compile(value)

				return err
			},
		},
		{
			Name: "BodyLimit", Default: "1048576", Allowed: "a number of bytes from 0 to 67108864", Description: "How much of the page is read.",
			set: func(s *site.Site, value string) error {
				var limit int

				err := setNumber(&limit, value, 0, maxBodyLimit)
				s.Target.BodyLimit = int64(limit)

				return err
			},
		},
	}
}
