//go:build unix && !linux

package envoy

import "syscall"

// childAttributes keep the terminal's Ctrl-C from Envoy, so that its owner
// ends it in order.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
