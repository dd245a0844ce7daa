package envoy

import "syscall"

// childAttributes keep the terminal's Ctrl-C from Envoy, so that its owner
// ends it in order, and end it when its owner is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
