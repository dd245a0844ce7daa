//go:build !unix

package envoy

import "syscall"

// childAttributes are the system's defaults: there is no Envoy to run here.
func childAttributes() *syscall.SysProcAttr { return nil }
