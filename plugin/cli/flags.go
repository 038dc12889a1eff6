package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// usageError is a wrong call, whose author is told where to read what is right.
type usageError struct {
	err     error
	command string // empty where there is no such command
}

func (e *usageError) Error() string {
	if e.command == "" {
		return fmt.Sprintf("%s; see `%s help`", e.err, Program)
	}

	return fmt.Sprintf("%s; see %s %s -h", e.err, Program, e.command)
}

func (e *usageError) Unwrap() error { return e.err }

func wrongCall(format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...)}
}

func newFlags(command string) *flag.FlagSet {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // what it would print is in its error

	return flags
}

// checked is a flag that keeps why it refused a value: the error of the package flag is for programmers.
type checked struct {
	set   func(text string) error
	given string
	why   error
}

func (c *checked) String() string { return "" }

func (c *checked) Set(text string) error {
	c.given, c.why = text, c.set(text)

	return c.why
}

// timeFlag declares a flag for a time between the bounds.
func timeFlag(flags *flag.FlagSet, target *time.Duration, name string, least, most time.Duration, usage string) {
	allowed := short(least) + " to " + short(most)

	flags.Var(&checked{set: func(text string) error {
		parsed, err := time.ParseDuration(text)
		if err != nil {
			if parsed, err = time.ParseDuration(text + "s"); err == nil && parsed >= least && parsed <= most {
				return fmt.Errorf("it needs a unit, such as %ss (%s)", text, allowed)
			}
		} else if parsed >= least && parsed <= most {
			*target = parsed

			return nil
		}

		return fmt.Errorf("allowed is a time from %s", allowed)
	}}, name, usage)
}

// numberFlag declares a flag for a whole number between the bounds.
func numberFlag(flags *flag.FlagSet, target *int, name string, least, most int, usage string) {
	flags.Var(&checked{set: func(text string) error {
		parsed, err := strconv.Atoi(text)
		if err != nil || parsed < least || parsed > most {
			return fmt.Errorf("allowed is a whole number from %d to %d", least, most)
		}

		*target = parsed

		return nil
	}}, name, usage)
}

// short is a time without the parts that are 0.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}

	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}

	return text
}

// spelled is a flag as people write it.
func spelled(name string) string {
	if len(name) == 1 {
		return "-" + name
	}

	return "--" + name
}

// isSet tells whether the caller gave the flag.
func isSet(flags *flag.FlagSet, name string) bool {
	found := false

	flags.Visit(func(f *flag.Flag) { found = found || f.Name == name })

	return found
}

// parse reads a command's flags, before and after its arguments, of which there must be exactly so many.
func parse(flags *flag.FlagSet, args []string, arguments int) error {
	return parseBetween(flags, args, arguments, arguments)
}

func parseBetween(flags *flag.FlagSet, args []string, least, most int) error {
	var arguments []string

	for rest := args; len(rest) > 0; {
		if err := flags.Parse(rest); errors.Is(err, flag.ErrHelp) {
			return err
		} else if err != nil {
			return refused(flags, err)
		}

		read := len(rest) - flags.NArg()
		if read > 0 && rest[read-1] == "--" || flags.NArg() == 0 {
			arguments = append(arguments, flags.Args()...)

			break
		}

		// The package flag stops at an argument.
		arguments, rest = append(arguments, flags.Arg(0)), flags.Args()[1:]
	}

	if n := len(arguments); n < least || n > most {
		allowed := fmt.Sprint(least)
		if most > least {
			allowed += fmt.Sprintf(" to %d", most)
		}

		return wrongCall("cannot run %s: it takes %s argument(s), not %d", flags.Name(), allowed, n)
	}

	return flags.Parse(append([]string{"--"}, arguments...))
}

// refused names the flag whose value is not allowed, or what else is wrong with them.
func refused(flags *flag.FlagSet, err error) error {
	err = wrongCall("cannot run %s: %w", flags.Name(), err)

	flags.VisitAll(func(f *flag.Flag) {
		if c, ok := f.Value.(*checked); ok && c.why != nil {
			err = wrongCall("cannot use %s %s: %w", spelled(f.Name), c.given, c.why)
		}
	})

	return err
}
