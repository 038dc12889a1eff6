package message

import "zabbix-agent2-plugin-hosting/checks/enum"

// Level is the severity of a message. The numbers are nginx's own (NGX_LOG_EMERG and so on in ngx_log.h).
type Level int

// The levels, worst first; LevelStderr is a line that has none.
const (
	LevelStderr Level = 0
	LevelEmerg  Level = 1
	LevelAlert  Level = 2
	LevelCrit   Level = 3
	LevelError  Level = 4
	LevelWarn   Level = 5
	LevelNotice Level = 6
	LevelInfo   Level = 7
	LevelDebug  Level = 8
)

var levelNames = enum.Of[Level]("level", "stderr", "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug")

// String is the name that nginx writes, such as "emerg".
func (l Level) String() string { return levelNames.Name(l) }

// levelOf reads what stands in nginx's brackets. It is false for the name of no level.
func levelOf(name string) (Level, bool) {
	l, ok := levelNames.Value(name)

	return l, ok && l != LevelStderr
}
