// Package proc reads from Linux's /proc what a process costs: CPU by thread,
// to the nanosecond, and memory. Elsewhere every call is an error.
package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Thread is one thread of a process.
type Thread struct {
	Name string // as the process named it, cut at 15 bytes

	path string
}

// Threads are those that the process has now; its main thread is the first.
func Threads(pid int) ([]Thread, error) {
	dir := fmt.Sprintf("/proc/%d/task", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	threads := make([]Thread, 0, len(entries))
	for _, e := range entries {
		t := Thread{path: dir + "/" + e.Name()}
		name, err := os.ReadFile(t.path + "/comm")
		if os.IsNotExist(err) {
			continue // it has just ended
		}
		if err != nil {
			return nil, err
		}
		t.Name = strings.TrimSpace(string(name))
		threads = append(threads, t)
		if last := len(threads) - 1; e.Name() == strconv.Itoa(pid) {
			threads[0], threads[last] = threads[last], threads[0]
		}
	}
	if len(threads) == 0 {
		return nil, fmt.Errorf("process %d has no threads: it has ended", pid)
	}
	return threads, nil
}

// CPU is the time that the thread has run so far.
func (t Thread) CPU() (time.Duration, error) {
	text, err := os.ReadFile(t.path + "/schedstat")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), " ")
	nanoseconds, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s/schedstat: %w", t.path, err)
	}
	return time.Duration(nanoseconds), nil
}

// CPU is the time that the living threads of a process have run so far.
func CPU(pid int) (time.Duration, error) {
	threads, err := Threads(pid)
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, t := range threads {
		cpu, err := t.CPU()
		if err != nil && !os.IsNotExist(err) {
			return 0, err
		}
		sum += cpu
	}
	return sum, nil
}

// runnable reports whether the thread runs, or would if it had a CPU.
func (t Thread) runnable() (bool, error) {
	text, err := os.ReadFile(t.path + "/stat")
	if err != nil {
		return false, err
	}
	_, state, _ := strings.Cut(string(text), ") ") // after the name
	return strings.HasPrefix(state, "R"), nil
}

// Runnable reports whether a thread of the process runs, or would if it had a
// CPU: on a busy machine one that has something to do may take no CPU for long.
func Runnable(pid int) (bool, error) {
	threads, err := Threads(pid)
	if err != nil {
		return false, err
	}
	for _, t := range threads {
		runnable, err := t.runnable()
		if runnable || err != nil && !os.IsNotExist(err) {
			return runnable, err
		}
	}
	return false, nil
}

// RSS is the memory that a process has in RAM, in bytes; what it shares with
// others counts in full.
func RSS(pid int) (int64, error) {
	path := fmt.Sprintf("/proc/%d/status", pid)
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%s: VmRSS: %w", path, err)
			}
			return kilobytes << 10, nil
		}
	}
	return 0, fmt.Errorf("%s has no VmRSS", path)
}
