// Package footprint keeps what a process takes of its machine's memory near
// what it needs: garbage is collected when it has become half of what lives,
// and after a large load, or a thousand clients that came at once, what is free
// goes back soon. Go's runtime does so by itself within minutes.
package footprint
