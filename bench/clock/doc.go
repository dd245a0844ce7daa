// Package clock measures how far another machine's clock is from this one, as
// NTP does (RFC 5905, section 8), so that nobody reports how long something
// took from one machine to the other by two clocks that disagree.
package clock
