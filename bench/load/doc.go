// Package load measures what changes cost a control plane that has a whole
// fleet: thousands of simulated proxies (package swarm) under thousands of
// resources (package fixture), and what rivals and floors take for the same in
// the same run.
//
// Run starts the sides, each a server of its own as a child process (side.go),
// and its swarm in this process. It times the start of all proxies, single
// changes in turns on each side, a storm of reconnects and a steady rate of
// changes, and reads what each costs from /proc and from the servers
// themselves. The Report has it all, and how it stands against what is asked
// for (verdict.go).
package load
