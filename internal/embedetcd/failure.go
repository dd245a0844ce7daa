package embedetcd

import (
	"fmt"
	"runtime"
	"sync"

	"go.uber.org/zap/zapcore"
)

// failure is what etcd would end the process for: mostly that its disk is full
// or broken. Without it the process goes on with what it has in memory, and
// that etcd takes part in nothing any more.
type failure struct {
	once sync.Once
	done chan struct{} // closes with the failure
	err  error         // of the failure; read after done
}

// OnWrite implements zapcore.CheckWriteHook: it ends the goroutine that has
// failed instead of the process.
func (f *failure) OnWrite(e *zapcore.CheckedEntry, fields []zapcore.Field) {
	f.once.Do(func() {
		f.err = fmt.Errorf("the embedded etcd has failed: %s", e.Message)
		for _, field := range fields {
			if cause, ok := field.Interface.(error); ok && field.Type == zapcore.ErrorType {
				f.err = fmt.Errorf("%w: %w", f.err, cause)
			}
		}
		close(f.done)
	})
	runtime.Goexit()
}

// Failed closes when etcd cannot go on. The server is of no more use, but the
// process may serve what it has.
func (s *Server) Failed() <-chan struct{} { return s.failure.done }

// Err is why etcd cannot go on; nil while it can.
func (s *Server) Err() error {
	select {
	case <-s.failure.done:
		return s.failure.err
	default:
		return nil
	}
}
