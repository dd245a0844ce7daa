//go:build !unix

package child

import "syscall"

// attributes are the system's defaults: nothing is promised here.
func attributes() *syscall.SysProcAttr { return nil }
