// Package packaging makes the deb and rpm packages: the programs, their units in systemd, the agent's configuration file, templates and documents.
package packaging
