package resource

import (
	"fmt"
	"strconv"
	"strings"
)

// formatDuration writes a Duration as JSON does, with as few digits as it
// needs: "1.5s", "-0.25s".
func formatDuration(seconds int64, nanos int32) string {
	sign := ""
	if seconds < 0 || nanos < 0 {
		sign, seconds, nanos = "-", -seconds, -nanos
	}
	text := strconv.FormatInt(seconds, 10)
	if nanos != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%09d", nanos), "0")
	}
	return sign + text + "s"
}

// maxSeconds bounds Duration (about 10,000 years).
const maxSeconds = 315_576_000_000

// parseDuration reads "-1.000000001s": a sign, digits, at most nine of a
// fraction, and "s".
func parseDuration(s string) (seconds int64, nanos int32, ok bool) {
	s, ok = strings.CutSuffix(s, "s")
	s, negative := strings.CutPrefix(s, "-")
	whole, fraction, _ := strings.Cut(s, ".")
	if !ok || whole+fraction == "" || len(whole) > 12 || len(fraction) > 9 {
		return 0, 0, false
	}
	for _, c := range []byte(whole) {
		if c < '0' || c > '9' {
			return 0, 0, false
		}
		seconds = seconds*10 + int64(c-'0')
	}
	for i := range 9 {
		c := byte('0')
		if i < len(fraction) {
			c = fraction[i]
		}
		if c < '0' || c > '9' {
			return 0, 0, false
		}
		nanos = nanos*10 + int32(c-'0')
	}
	if negative {
		seconds, nanos = -seconds, -nanos
	}
	return seconds, nanos, seconds >= -maxSeconds && seconds <= maxSeconds
}
