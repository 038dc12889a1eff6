// Package nginx tells whether each nginx configuration on disk would load, whether it is what the running nginx has loaded,
// and whether testing it the ordinary way would endanger the host. Its own tests change nothing (package sandbox).
package nginx
