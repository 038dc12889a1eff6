package message

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func parse(t *testing.T, text string) Output {
	t.Helper()

	o, err := Parse(strings.NewReader(text))
	require.NoError(t, err)

	return o
}

const conf = "/srv/test/nginx.conf"

// reasons are those of the outputs of testdata/1.22.1 that tell a failure.
var reasons = map[string]Message{
	"bad certificate":     {LevelEmerg, `cannot load certificate "/srv/test/bad.pem": PEM_read_bio_X509_AUX() failed (SSL: error:0480006C:PEM routines::no start line:Expecting: TRUSTED CERTIFICATE)`, "", 0, CauseConfiguration},
	"bad expression":      {LevelEmerg, `pcre2_compile() failed: missing closing parenthesis in "("`, conf, 12, CauseConfiguration},
	"bad listen":          {LevelEmerg, `invalid parameter "reuse"`, conf, 11, CauseConfiguration},
	"bad module":          {LevelEmerg, `dlopen() "/srv/test/bad.so" failed (/srv/test/bad.so: file too short)`, conf, 1, CauseConfiguration},
	"bad port":            {LevelEmerg, `invalid port in "127.0.0.1:999999" of the "listen" directive`, conf, 11, CauseConfiguration},
	"brace too many":      {LevelEmerg, `unexpected "}"`, conf, 12, CauseConfiguration},
	"cache parent":        {LevelEmerg, `mkdir() "/srv/test/none/cache" failed (2: No such file or directory)`, "", 0, CauseConfiguration},
	"certificate of root": {LevelEmerg, `cannot load certificate "/etc/shadow": BIO_new_file() failed (SSL: error:8000000D:system library::Permission denied:calling fopen(/etc/shadow, r) error:10080002:BIO routines::system lib)`, "", 0, CausePermission},
	"command line":        {LevelEmerg, `unknown directive "bad"`, CommandLine, 0, CauseConfiguration},
	"duplicate":           {LevelEmerg, `"root" directive is duplicate`, conf, 12, CauseConfiguration},
	"duplicate default":   {LevelEmerg, `a duplicate default server for 127.0.0.1:8080`, conf, 11, CauseConfiguration},
	"duplicate listen":    {LevelEmerg, `a duplicate listen 127.0.0.1:8080`, conf, 12, CauseConfiguration},
	"duplicate options":   {LevelEmerg, `duplicate listen options for 127.0.0.1:8080`, conf, 11, CauseConfiguration},
	"empty upstream":      {LevelEmerg, `no servers are inside upstream`, conf, 11, CauseConfiguration},
	"few descriptors":     {LevelEmerg, `open() "/dev/././././null" failed (24: Too many open files)`, "", 0, CauseDescriptors},
	"huge zone":           {LevelAlert, `mmap(MAP_ANON|MAP_SHARED, 104857598951424) failed (12: Cannot allocate memory)`, "", 0, CauseMemory},
	"in an include":       {LevelEmerg, `unknown directive "bad"`, "/srv/test/in in/a.conf", 3, CauseConfiguration},
	"include directory":   {LevelCrit, `pread() "/srv/test/sub" failed (21: Is a directory)`, "", 0, CauseConfiguration},
	"include of root":     {LevelEmerg, `open() "/etc/shadow" failed (13: Permission denied)`, conf, 2, CausePermission},
	"key of root":         {LevelEmerg, `cannot load certificate key "/srv/test/tls.key": BIO_new_file() failed (SSL: error:8000000D:system library::Permission denied:calling fopen(/srv/test/tls.key, r) error:10080002:BIO routines::system lib)`, "", 0, CausePermission},
	"log directory":       {LevelEmerg, `open() "/srv/test/none/access.log" failed (2: No such file or directory)`, "", 0, CauseConfiguration},
	"missing brace":       {LevelEmerg, `unexpected end of file, expecting "}"`, conf, 12, CauseConfiguration},
	"missing certificate": {LevelEmerg, `cannot load certificate "/srv/test/none.pem": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory:calling fopen(/srv/test/none.pem, r) error:10000080:BIO routines::no such file)`, "", 0, CauseConfiguration},
	"missing include":     {LevelEmerg, `open() "/srv/test/none.conf" failed (2: No such file or directory)`, conf, 12, CauseConfiguration},
	"missing module":      {LevelEmerg, `dlopen() "/srv/test/none.so" failed (/srv/test/none.so: cannot open shared object file: No such file or directory)`, conf, 1, CauseConfiguration},
	"missing semicolon":   {LevelEmerg, `unexpected "}"`, conf, 12, CauseConfiguration},
	"names hash":          {LevelEmerg, `could not build server_names_hash, you should increase server_names_hash_bucket_size: 64`, "", 0, CauseConfiguration},
	"no certificate":      {LevelEmerg, `no "ssl_certificate" is defined for the "listen ... ssl" directive`, conf, 11, CauseConfiguration},
	"no events":           {LevelEmerg, `no "events" section in configuration`, "", 0, CauseConfiguration},
	"number of args":      {LevelEmerg, `invalid number of arguments in "root" directive`, conf, 12, CauseConfiguration},
	"other address":       {LevelEmerg, `bind() to 192.0.2.1:8080 failed (99: Cannot assign requested address)`, "", 0, CauseAddress},
	"other address 6":     {LevelEmerg, `bind() to [2001:db8::1]:8080 failed (99: Cannot assign requested address)`, "", 0, CauseAddress},
	"pid directory":       {LevelEmerg, `open() "/srv/test/none/pid" failed (2: No such file or directory)`, "", 0, CauseConfiguration},
	"pid file of root":    {LevelEmerg, `open() "/srv/test/nginx.pid" failed (13: Permission denied)`, "", 0, CausePermission},
	"port of root":        {LevelEmerg, `bind() to 127.0.0.1:81 failed (13: Permission denied)`, "", 0, CausePermission},
	"small zone":          {LevelEmerg, `zone "zone=a:1k" is too small`, conf, 11, CauseConfiguration},
	"socket directory":    {LevelEmerg, `bind() to unix:/srv/test/none/socket failed (2: No such file or directory)`, "", 0, CauseConfiguration},
	"unfinished string":   {LevelEmerg, `unexpected end of file, expecting ";" or "}"`, conf, 12, CauseConfiguration},
	"unknown directive":   {LevelEmerg, `unknown directive "proxy_pas"`, conf, 12, CauseConfiguration},
	"unknown host":        {LevelEmerg, `host not found in upstream "no..such.invalid"`, conf, 12, CauseDNS},
	"unknown option":      {LevelStderr, `nginx: invalid option: "x"`, "", 0, CauseOther},
	"unknown resolver":    {LevelEmerg, `host not found in resolver "no..such.invalid"`, conf, 11, CauseDNS},
	"unknown user":        {LevelEmerg, `getpwnam("no-such-user") failed`, conf, 1, CauseConfiguration},
	"warning and error":   {LevelEmerg, `unknown directive "bad"`, conf, 11, CauseConfiguration},
	"wrong context":       {LevelEmerg, `"listen" directive is not allowed here`, conf, 5, CauseConfiguration},
}

func TestTheReasonOfEveryFailureIsUnderstood(t *testing.T) {
	t.Parallel()

	for name := range realCases {
		text, err := os.ReadFile(fixture(name))
		require.NoError(t, err)

		o := parse(t, string(text))

		want, fails := reasons[name]
		if !fails {
			require.Equal(t, VerdictSuccessful, o.Verdict, name)

			continue
		}

		require.NotNil(t, o.Reason(), name)
		require.Equal(t, want, *o.Reason(), name)

		if name != "unknown option" {
			require.Equal(t, VerdictFailed, o.Verdict, name)
			require.Equal(t, conf, o.ConfigFile)
		}
	}
}

func TestForksAndOldFormsAreUnderstood(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]Message{
		`angie: [emerg] unknown directive "a" in /etc/angie/angie.conf:3`: {
			LevelEmerg, `unknown directive "a"`, "/etc/angie/angie.conf", 3, CauseConfiguration,
		},
		`2026/11/24 12:00:00 [emerg] 1#1: *7 open() "/a" failed (30: Read-only file system)`: {
			LevelEmerg, `open() "/a" failed (30: Read-only file system)`, "", 0, CauseReadOnly,
		},
		`nginx: [warn] a in b in conf/a b.conf:7`:         {LevelWarn, "a in b", "conf/a b.conf", 7, CauseNone},
		`nginx: [emerg] a in /srv/x in y/a.conf:7`:        {LevelEmerg, "a", "/srv/x in y/a.conf", 7, CauseConfiguration},
		`nginx: [emerg] bind() to 0.0.0.0:80 went wrong`:  {LevelEmerg, "bind() to 0.0.0.0:80 went wrong", "", 0, CauseConfiguration},
		`nginx: [emerg] host not found in "h" of x:1`:     {LevelEmerg, `host not found in "h" of x:1`, "", 0, CauseDNS},
		`nginx: [emerg] a in b:12345678901234567890`:      {LevelEmerg, "a in b:12345678901234567890", "", 0, CauseConfiguration},
		`nginx: [emerg] a in :1`:                          {LevelEmerg, "a in :1", "", 0, CauseConfiguration},
		`nginx: [odd] text`:                               {LevelStderr, "nginx: [odd] text", "", 0, CauseOther},
		`nginx: [notice] text`:                            {LevelNotice, "text", "", 0, CauseNone},
		`nginx: [emerg] still could not bind()`:           {LevelEmerg, "still could not bind()", "", 0, CausePortInUse},
		`error while loading shared libraries: libssl.so`: {LevelStderr, "error while loading shared libraries: libssl.so", "", 0, CauseOther},
		"nginx: [emerg] \x1b[31mred\x00\xff\u202e in /a\tb:1": {
			LevelEmerg, "?[31mred???", "/a?b", 1, CauseConfiguration,
		},
	} {
		require.Equal(t, want, parseMessage(text), text)
	}
}

func TestErrorsOfTheSystemAreToldFromThoseOfTheFile(t *testing.T) {
	t.Parallel()

	for _, known := range systemErrors {
		text := fmt.Sprintf(`open() "/a" failed (%d: %s)`, known.number, known.words)
		require.Equal(t, known.cause, causeOf(LevelEmerg, text), text)

		text = fmt.Sprintf(`dlopen() "/a.so" failed (/a.so: cannot open shared object file: %s)`, known.words)
		require.Equal(t, known.cause, causeOf(LevelEmerg, text), text)
	}

	for text, want := range map[string]Cause{
		`epoll_create() failed (38: Function not implemented)`:         CauseOther,
		`getpwnam("a") failed (2: No such file or directory)`:          CauseConfiguration,
		`getpwnam("a") failed (1: Operation not permitted)`:            CauseConfiguration,
		`getgrnam("a") failed`:                                         CauseConfiguration,
		`getpwnam("a") failed (24: Too many open files)`:               CauseDescriptors,
		`getpwnam("a") failed (111: Connection refused)`:               CauseOther,
		`bind() to unix:/a (b) failed (13: Permission denied)`:         CausePermission,
		`pcre_compile() failed: missing ) in "(13: Permission denied"`: CauseConfiguration,
		`unknown directive "failed (13: Permission denied)"`:           CauseConfiguration,
	} {
		require.Equal(t, want, causeOf(LevelEmerg, text), text)
	}

	require.False(t, CauseConfiguration.Environment())
	require.False(t, CauseNone.Environment())
	require.True(t, CauseDNS.Environment())
	require.Equal(t, CauseNone, causeOf(LevelWarn, "host not found in OCSP responder"))
	require.Equal(t, "read_only", Causes()[8])
	require.Equal(t, "cause_99", Cause(99).String())
	require.Equal(t, "level_9", Level(9).String())
	require.Equal(t, "stderr", LevelStderr.String())
}

func TestTheLastMessagesOfEachKindAreKept(t *testing.T) {
	t.Parallel()

	var text strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&text, "nginx: [warn] %d in /a:%d\n", i, i)
	}

	for i := range 30 {
		fmt.Fprintf(&text, "nginx: [alert] %d\nplain %d\n", i, i)
	}

	text.WriteString("nginx: [emerg] end in /a:1\nnginx: [alert] munmap(1, 1) failed (22: Invalid argument)\n")

	o := parse(t, text.String())
	require.Equal(t, 10_000-maxKept+12+10, o.Omitted)
	require.Len(t, o.Warnings, maxKept)
	require.Equal(t, "9999", o.Warnings[0].Text)
	require.Len(t, o.Errors, maxKept)
	require.Equal(t, "end", o.Errors[0].Text)
	require.Equal(t, "munmap(1, 1) failed (22: Invalid argument)", o.Errors[maxKept-1].Text)
	require.Len(t, o.Others, maxKept)
	require.Equal(t, "plain 29", o.Others[0].Text)
	require.Equal(t, "end", o.Reason().Text)
}

func TestAWordlessEndIsToldByWhatElseWasSaid(t *testing.T) {
	t.Parallel()

	empty := parse(t, "")
	require.Nil(t, empty.Reason())
	require.Equal(t, Output{}, empty)

	o := parse(t, "nginx: [alert] could not open error log file: open() \"/a\" failed (13: Permission denied)\nnginx: invalid option: \"x\"")
	require.Equal(t, `nginx: invalid option: "x"`, o.Reason().Text)
}

func TestTheSameMessageInBothFormsIsOne(t *testing.T) {
	t.Parallel()

	o := parse(t, "nginx: [emerg] a in /a:1\n2026/11/24 12:00:00 [emerg] 1#1: a in /a:1\nnginx: [emerg] b\nnginx: [emerg] a in /a:1\n")
	require.Len(t, o.Errors, 3)
}

func TestLongLinesAreCutAndTheirEndsUsed(t *testing.T) {
	t.Parallel()

	o := parse(t, "nginx: [emerg] "+strings.Repeat("é", 5000)+" in /etc/a.conf:3\n"+strings.Repeat("x", 10*maxLine)+"\nnginx: [warn] w\n")
	require.Equal(t, "/etc/a.conf", o.Errors[0].File)
	require.Equal(t, 3, o.Errors[0].Line)
	require.LessOrEqual(t, len(o.Errors[0].Text), maxText)
	require.True(t, strings.HasSuffix(o.Errors[0].Text, "é…"))
	require.Len(t, o.Others, 1)
	require.Equal(t, "w", o.Warnings[0].Text)
}

func TestAReadersErrorIsReturned(t *testing.T) {
	t.Parallel()

	broken := errors.New("broken")
	_, err := Parse(io.MultiReader(strings.NewReader("nginx: [emerg] a\n"), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/1.22.1/*.txt")
	require.NoError(f, err)

	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(text))
	}

	f.Fuzz(func(t *testing.T, text string) {
		o, err := Parse(strings.NewReader(text))
		require.NoError(t, err)

		for _, list := range [][]Message{o.Errors, o.Warnings, o.Others} {
			require.LessOrEqual(t, len(list), maxKept)
		}

		for _, m := range slices.Concat(o.Errors, o.Warnings, o.Others) {
			require.LessOrEqual(t, len(m.Text), maxText)
			require.LessOrEqual(t, len(m.File), maxFile)
			require.True(t, utf8.ValidString(m.Text) && utf8.ValidString(m.File))
			require.NotContains(t, m.Text+m.File, "\x1b")
			require.True(t, m.File != "" || m.Line == 0)
		}
	})
}
