//go:build unix

package audit

import (
	"os"
	"syscall"
)

// lock keeps other processes from writing a file, as long as it is open.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
