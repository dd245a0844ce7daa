package embedetcd

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/zap"
)

func TestWhatEtcdWouldEndTheProcessForEndsAGoroutine(t *testing.T) {
	for name, say := range map[string]func(*zap.Logger){
		"fatal": func(l *zap.Logger) { l.Fatal("cannot save", zap.Error(errors.New("no space left"))) },
		"panic": func(l *zap.Logger) { l.Panic("cannot save", zap.Error(errors.New("no space left"))) },
	} {
		t.Run(name, func(t *testing.T) {
			s := &Server{failure: &failure{done: make(chan struct{})}}
			log := newLogCore(slog.New(slog.DiscardHandler)).logger(s.failure)
			if s.Err() != nil {
				t.Fatal("it has failed before anything happened")
			}
			ended := make(chan bool)
			go func() {
				defer close(ended)
				say(log)
				ended <- true // not reached
			}()
			if _, went := <-ended; went {
				t.Error("the goroutine that failed goes on")
			}
			<-s.Failed()
			if err := s.Err(); err == nil || !strings.Contains(err.Error(), "cannot save: no space left") {
				t.Errorf("the failure is %v", err)
			}
		})
	}
}

func TestRoomIsThereUntilTheReserveIsTouched(t *testing.T) {
	s := &Server{dir: t.TempDir()}
	free, ok := freeBytes(s.dir)
	if !ok {
		t.Fatal("the space left is not known")
	}
	if err := s.Room(); (free < reserve) != errors.Is(err, ErrFull) {
		t.Errorf("with %d bytes free: %v", free, err)
	}
}

func TestADataDirectoryThatEtcdCannotReadIsAnError(t *testing.T) {
	if _, err := Start(t.Context(), "/proc/nowhere", 1<<20, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("it starts")
	}
}
