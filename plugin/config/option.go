package config

// Option describes one option for people and is the only place that knows it.
type Option struct {
	Name        string // below Plugins.Hosting.
	Default     string
	Allowed     string // in words
	Description string
	// Helper is the root helper's option that decides in its place where the helper answers; empty where the plugin's own always does.
	Helper string
	// both says that this one counts then, too.
	both bool
	set  func(*Options, string) bool
}

// Meaning is the description, and what decides where the root helper answers.
func (o Option) Meaning() string {
	switch {
	case o.Helper == "":
		return o.Description
	case o.both:
		return o.Description + " Where the root helper answers, its " + o.Helper + " counts, too."
	}

	return o.Description + " Where the root helper answers, its " + o.Helper + " decides."
}

// Set gives the option a value and tells whether it is allowed.
func (o Option) Set(options *Options, value string) bool { return o.set(options, value) }
