// Package agent speaks the loadable-plugin protocol of Zabbix agent 2, every version from 6.0 on, so that the agent survives whatever the checks do.
//
// The process that the agent starts is the link: it runs no check, relays frames to a worker (the same binary, over a
// socketpair) and replaces a worker that dies or hangs. An agent whose plugin process ends stops itself, so the link ends
// only when the agent says Terminate or closes the connection. Small answers a worker writes to the agent itself (direct.go).
//
// The message types are those of the SDK's plugin/comms. Frames are read and written here, because comms.Read allocates whatever length
// a frame announces and panics on a length above 2 GiB, and because the link forwards frames that it need not decode.
package agent
