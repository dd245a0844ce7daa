//go:build unix && !linux

package child

import "syscall"

// attributes keep the terminal's Ctrl-C from the child, so that its owner
// ends it in order.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
