// Package site requests a test site as a visitor's browser would, one new connection at a time, and says how it fails.
//
// A Prober makes one probe of a Target and tells the time of each phase and the Reason of a failure. A Monitor probes
// sites on their schedules and keeps counters, quantiles and evidence.
package site
