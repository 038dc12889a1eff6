package config

import (
	"errors"
	"slices"
	"strconv"
	"time"
)

// errNotAllowed is a value for which the option's own words say all there is to say.
var errNotAllowed = errors.New("not allowed")

func allowedIf(ok bool) error {
	if ok {
		return nil
	}

	return errNotAllowed
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
