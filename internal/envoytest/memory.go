package envoytest

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ForgetPeak makes Peak count from now on.
func (p *Plane) ForgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0)
}

// Peak is how many bytes of memory the process has had at most, as the kernel
// counts: what a limit on it is compared with. Linux only.
func (p *Plane) Peak() (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no VmHWM", f.Name())
}
