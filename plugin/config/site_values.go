package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/site"
)

// errNotAllowed is a value for which the option's own words say all there is to say.
var errNotAllowed = errors.New("not allowed")

func allowedIf(ok bool) error {
	if ok {
		return nil
	}

	return errNotAllowed
}

// notAllowed names the option, its value, what is allowed and, where there is more to say, why.
func notAllowed(path string, option SiteOption, s setting, err error) error {
	why := ""
	if !errors.Is(err, errNotAllowed) {
		why = " (" + err.Error() + ")"
	}

	return fmt.Errorf("cannot use option %s%s=%s (line %d): allowed is %s%s", path, option.Name, s.value, s.line, option.Allowed, why)
}

func setTime(target *time.Duration, value string, least, most time.Duration) error {
	parsed, ok := ParseDuration(value)
	*target = parsed

	return allowedIf(ok && parsed >= least && parsed <= most)
}

func setNumber(target *int, value string, least, most int) (err error) {
	*target, err = strconv.Atoi(value)

	return allowedIf(err == nil && *target >= least && *target <= most)
}

func setBool(target *bool, value string) error {
	*target = value == "true"

	return allowedIf(value == "true" || value == "false")
}

func setOneOf(target *string, value string, allowed ...string) error {
	*target = value

	return allowedIf(slices.Contains(allowed, value))
}

func addHeader(s *site.Site, value string) error {
	name, content, ok := strings.Cut(value, ":")
	name, content = strings.TrimSpace(name), strings.TrimSpace(content)

	if !ok || !headerNames.MatchString(name) || strings.ContainsFunc(content, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return errNotAllowed
	}

	s.Target.Header.Add(name, content)

	return nil
}

// headerNames are tokens of RFC 9110, 5.6.2.
var headerNames = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
