package child

import "syscall"

// attributes keep the terminal's Ctrl-C from the child, so that its owner
// ends it in order, and end it when its owner is killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
