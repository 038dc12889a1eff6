package conf

import (
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// tree is a file system with some files.
func tree(files map[string]string) fstest.MapFS {
	all := fstest.MapFS{}
	for name, text := range files {
		all[strings.TrimPrefix(name, "/")] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}

	return all
}

func walkText(text string) *Result {
	return Walk(tree(map[string]string{"/etc/nginx/nginx.conf": text}), "/etc/nginx/nginx.conf", "/usr/share/nginx")
}

func directives(text string) (all [][]string) {
	for l := newLexer([]byte(text)); ; {
		words, _, end := l.next()
		if end == 0 && len(words) == 0 {
			return all
		}

		all = append(all, append(words, string(end)))
	}
}

func TestWordsAreThoseOfNginx(t *testing.T) {
	t.Parallel()

	for text, want := range map[string][][]string{
		"a b;c{d;}":                 {{"a", "b", ";"}, {"c", "{"}, {"d", ";"}, {"}"}},
		"a\t'b c'  \"d;{\" # x;\n;": {{"a", "b c", "d;{", ";"}},
		"a b#c;":                    {{"a", "b#c", ";"}},
		`a "b\"c" 'd\'e' f\ g \n;`:  {{"a", `b"c`, "d'e", `f\ g`, "\n", ";"}},
		"a ${b}c$d {":               {{"a", "${b}c$d", "{"}},
		"a b}c;":                    {{"a", "b}c", ";"}},
		"a ''\"\";":                 {{"a", "", "", ";"}},
		"a \"b":                     {{"a", "b", "\x00"}},
		"a \\":                      {{"a", "\\", "\x00"}},
		"":                          nil,
		"# only":                    nil,
	} {
		require.Equal(t, want, directives(text), text)
	}
}

func TestLinesAreThoseOfTheNames(t *testing.T) {
	t.Parallel()

	r := walkText("# 1\nhttp { server {\n" +
		"listen\n 1.1.1.1:1; # 3\nset $a \"x\ny\\\nz\\n\"; listen 1.1.1.1:2; # 7\n" +
		"content_by_lua_block { -- }\n local a = '}\\'}' .. \"}\" .. [[ }\n } ]] --[==[ }\n ]] ]==]\n if a[1] { } }\n" +
		"listen 1.1.1.1:3; # 13\n} }\nuser a b;\n")
	lines := map[uint16]int{}

	for _, l := range r.Listens {
		lines[l.Address.Port()] = l.Line
	}

	require.Equal(t, map[uint16]int{1: 3, 2: 7, 3: 13}, lines)
	require.Equal(t, Directive{Words: []string{"user", "a", "b"}, File: "/etc/nginx/nginx.conf", Line: 15}, r.User)
}

func TestListensAreUnderstood(t *testing.T) {
	t.Parallel()

	const file = "/etc/nginx/nginx.conf"

	tcp := func(address string) Listen {
		return Listen{Network: "tcp", Address: netip.MustParseAddrPort(address), File: file, Line: 1}
	}
	with := func(l Listen, change func(*Listen)) Listen {
		change(&l)

		return l
	}

	for text, want := range map[string][]Listen{
		"80":                    {tcp("0.0.0.0:80")},
		"*:81 ssl":              {tcp("0.0.0.0:81")},
		"127.0.0.1":             {tcp("127.0.0.1:80")},
		"127.0.0.1:8080":        {tcp("127.0.0.1:8080")},
		"[::]:443 ipv6only=off": {tcp("[::]:443")},
		"[::1]":                 {tcp("[::1]:80")},
		"8000-8002":             {tcp("0.0.0.0:8000"), tcp("0.0.0.0:8001"), tcp("0.0.0.0:8002")},
		"localhost:9000":        {with(tcp("0.0.0.0:9000"), func(l *Listen) { l.Host, l.Address = "localhost", netip.AddrPortFrom(netip.Addr{}, 9000) })},
		"localhost":             {with(tcp("0.0.0.0:9000"), func(l *Listen) { l.Host, l.Address = "localhost", netip.AddrPortFrom(netip.Addr{}, 80) })},
		"80 reuseport":          {with(tcp("0.0.0.0:80"), func(l *Listen) { l.ReusePort = true })},
		"53 udp":                {with(tcp("0.0.0.0:53"), func(l *Listen) { l.Network = "udp" })},
		"443 quic reuseport":    {with(tcp("0.0.0.0:443"), func(l *Listen) { l.Network, l.ReusePort = "udp", true })},
		"unix:/run/a b.sock":    {{Network: "unix", Path: "/run/a", File: file, Line: 1}},
		"'unix:/run/a b.sock'":  {{Network: "unix", Path: "/run/a b.sock", File: file, Line: 1}},
		"a:0":                   nil,
		"1.1.1.1:99999":         nil,
		"1.1.1.1:9-8":           nil,
		"":                      nil,
	} {
		require.Equal(t, want, walkText("http { server { listen "+text+"; } }").Listens, text)
	}
}

func TestAnAddressIsListedOnceWithItsReuseport(t *testing.T) {
	t.Parallel()

	r := walkText("http {\nserver { listen 80; }\nserver { listen *:80 reuseport; listen 80; }\nserver { listen 80 quic; }\n}")
	require.Equal(t, []Listen{
		{Network: "tcp", Address: netip.MustParseAddrPort("0.0.0.0:80"), ReusePort: true, File: "/etc/nginx/nginx.conf", Line: 3},
		{Network: "udp", Address: netip.MustParseAddrPort("0.0.0.0:80"), File: "/etc/nginx/nginx.conf", Line: 4},
	}, r.Listens)
}

func TestOnlyTheRightContextCounts(t *testing.T) {
	t.Parallel()

	r := walkText("listen 1;\nhttp { listen 2; user x; load_module y; map $a $b { listen 3; } server { location / { listen 4; } listen 5; } }\n" +
		"load_module modules/a.so;\nload_module /b.so;")
	require.Len(t, r.Listens, 1)
	require.EqualValues(t, 5, r.Listens[0].Address.Port())
	require.Equal(t, Directive{}, r.User)
	require.Equal(t, []string{"/usr/share/nginx/modules/a.so", "/b.so"}, r.Modules)
}

func TestTheCommandLineIsReadAsTheMainContext(t *testing.T) {
	t.Parallel()

	r := Walk(tree(map[string]string{"/etc/nginx/nginx.conf": "events {}", "/etc/nginx/more.conf": "load_module b.so;"}), "/etc/nginx/nginx.conf", "/p",
		"daemon off; load_module a.so; include more.conf; include d/*.conf;")
	require.Equal(t, []string{"/p/a.so", "/p/b.so"}, r.Modules)
	require.Equal(t, []string{"/etc/nginx/more.conf", "/etc/nginx/nginx.conf"}, r.Files)
	require.Equal(t, []string{"/etc/nginx/d"}, r.Directories)
	require.Empty(t, r.Problems)
}

// A directory that has no file now may have one when nginx looks.
func TestEveryDirectoryThatAPatternLeadsThroughIsNoted(t *testing.T) {
	t.Parallel()

	r := Walk(tree(map[string]string{
		"/c": "include /home/*/nginx/*/a.conf;", "/home/a/nginx/x/b": "", "/home/b/other": "", "/home/.hidden/nginx/x/b": "", "/home/file": "",
	}), "/c", "/p")
	require.Equal(t, []string{"/home", "/home/a", "/home/b", "/home/a/nginx", "/home/a/nginx/x"}, r.Directories)
}

func TestDirectoriesOfCodeAreNoted(t *testing.T) {
	t.Parallel()

	for text, want := range map[string][]string{
		"perl_modules perl/lib;":                                    {"/usr/share/nginx/perl/lib"},
		"js_path /srv/js;":                                          {"/srv/js"},
		"lua_package_path '/a/?.lua;/b/?/init.lua;;';":              {"/a", "/b"},
		"lua_package_path '$prefix/lua/?.lua;${prefix}/x/y?.lua;';": {"/usr/share/nginx/lua", "/usr/share/nginx/x"},
		"lua_package_cpath 'lib/?.so;;';":                           {"/lib"},
		"lua_package_path ';;';":                                    nil,
	} {
		require.Equal(t, want, walkText("http { "+text+" }").Directories, text)
	}
}

func TestIncludesAreFollowed(t *testing.T) {
	t.Parallel()

	r := Walk(tree(map[string]string{
		"/etc/nginx/nginx.conf":       "include modules/*.conf; http { include sites/*/[!x]?.conf; include none/*; include none.conf; include /srv/d/e.conf; }",
		"/etc/nginx/modules/1.conf":   "load_module a.so; user u;",
		"/etc/nginx/sites/s/ab.conf":  "server { include listen.inc; }",
		"/etc/nginx/sites/s/xb.conf":  "server { listen 1; }",
		"/etc/nginx/sites/s/.b.conf":  "server { listen 2; }",
		"/etc/nginx/sites/.t/ab.conf": "server { listen 3; }",
		"/etc/nginx/listen.inc":       "listen 4;",
		"/srv/d/e.conf":               "include listen.inc; server { listen 5; include listen.inc; }",
	}), "/etc/nginx/nginx.conf", "/p")

	require.Equal(t, []string{
		"/etc/nginx/nginx.conf", "/etc/nginx/modules/1.conf", "/etc/nginx/sites/s/ab.conf", "/etc/nginx/listen.inc",
		"/etc/nginx/none.conf", "/srv/d/e.conf",
	}, r.Files)
	require.Equal(t, []string{"/etc/nginx/modules", "/etc/nginx/sites", "/etc/nginx/sites/s", "/etc/nginx/none"}, r.Directories)
	require.Equal(t, []string{"cannot read /etc/nginx/none.conf: file does not exist"}, r.Problems)
	require.Equal(t, []string{"/p/a.so"}, r.Modules)
	require.Equal(t, []string{"user", "u"}, r.User.Words)
	require.Len(t, r.Listens, 2)
	require.Equal(t, "/etc/nginx/listen.inc", r.Listens[0].File)
	require.False(t, r.Incomplete)
}

func TestIncludesInCirclesEnd(t *testing.T) {
	t.Parallel()

	r := Walk(tree(map[string]string{
		"/a": "include /a; include /b; http { include /*; server { listen 1; include /a; } }", "/b": "include /a; x { include /b; }",
	}), "/a", "/")
	require.Equal(t, []string{"/a", "/b"}, r.Files)
	require.Len(t, r.Listens, 1)

	deep := map[string]string{}
	for i := range 2 * maxDepth {
		deep[fmt.Sprintf("/%d", i)] = fmt.Sprintf("include /%d;", i+1)
	}

	r = Walk(tree(deep), "/0", "/")
	require.True(t, r.Incomplete)
	require.Len(t, r.Files, maxDepth+1)
}

func manyModules() string {
	text := ""
	for i := range maxPaths + 1 {
		text += fmt.Sprintf("load_module %d;", i)
	}

	return text
}

func TestScriptsThatNginxRunsAreListed(t *testing.T) {
	t.Parallel()

	r := walkText("http { init_by_lua_file lua/init.lua; perl_require /a/b.pm; perl_require strict.pm; js_import main from js/m.js; " +
		"js_import js/m.js; server { location / { content_by_lua_file /c.lua; } } }")
	require.Equal(t, []string{"/usr/share/nginx/lua/init.lua", "/a/b.pm", "/etc/nginx/js/m.js", "/c.lua"}, r.Scripts)
}

func TestLimitsHold(t *testing.T) {
	t.Parallel()

	var text strings.Builder

	text.WriteString("http { server {")

	for i := range maxListens + 5 {
		fmt.Fprintf(&text, "listen 10.0.%d.%d:80;", i/256, i%256)
	}

	text.WriteString("listen 1-65535; } }" + manyModules() + "x " + strings.Repeat("w ", 1000) + ";")

	r := walkText(text.String())
	require.Len(t, r.Listens, maxListens)
	require.Equal(t, 5+maxPorts, r.ListensOmitted)
	require.Len(t, r.Modules, maxPaths)
	require.True(t, r.Incomplete)

	files := tree(map[string]string{"/a": "include /pipe; include /large; include /dir;", "/dir/x": ""})
	files["pipe"] = &fstest.MapFile{Mode: fs.ModeNamedPipe | 0o600}
	files["large"] = &fstest.MapFile{Data: make([]byte, maxFile+1)}

	r = Walk(files, "/a", "/")
	require.True(t, r.Incomplete)
	require.Equal(t, []string{
		"cannot read /pipe: it is no regular file", "cannot read /large: it is too large", "cannot read /dir: it is no regular file",
	}, r.Problems)
}

func FuzzWalk(f *testing.F) {
	f.Add("http { server { listen 80 reuseport; include b; } }", "content_by_lua_block { local a = [==[ } ]==] --[[ } ]] '}' }")
	f.Add("include *; a \"b\\n;", "x_by_lua_block { -- \n [=[")
	f.Add("listen [::]:1-99999;", "${a}{;}}}")

	f.Fuzz(func(t *testing.T, first, second string) {
		r := Walk(tree(map[string]string{"/a": first, "/b": "server { " + second}), "/a", "/")
		require.LessOrEqual(t, len(r.Listens), maxListens)
		require.LessOrEqual(t, len(r.Files), 2)

		for _, l := range r.Listens {
			text := first
			if l.File == "/b" {
				text = second
			}

			require.Positive(t, l.Line)
			require.LessOrEqual(t, l.Line, 1+strings.Count(text, "\n"))
		}
	})
}
