package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/faulttest"
)

// refusedForSpace commits until it fails, which it must do with what to do.
func (s *scene) refusedForSpace(remedy string) {
	s.t.Helper()
	for range 20 {
		err := s.try(s.large())
		if err == nil {
			continue
		}
		for _, part := range []string{"503", `"code":"unavailable"`, "nothing was committed", remedy} {
			if !strings.Contains(err.Error(), part) {
				s.t.Fatalf("without space, a commit ends with %v; want %q in it", err, part)
			}
		}
		s.recovered(nil)
		s.settle()
		return
	}
	s.t.Fatal("commits still succeed; the test shows nothing")
}

func TestAnEtcdAtItsQuotaRefusesCommitsWithTheRemedy(t *testing.T) {
	e := faulttest.StartEtcd(t, "", "--quota-backend-bytes", fmt.Sprint(16<<20))
	s := newScene(t, seeded(t), "--etcd-endpoints", e.Endpoint())
	ctx := envoytest.Context(t)
	var err error
	for i := 0; err == nil; i++ { // somebody else's keys
		_, err = e.Client.Put(ctx, fmt.Sprint("/filler/", i), strings.Repeat("x", 1<<20))
	}
	if !errors.Is(err, rpctypes.ErrNoSpace) {
		t.Fatal(err)
	}
	s.refusedForSpace("compact and defragment it and disarm its alarm")
	if _, err := e.Client.Delete(ctx, "/filler/", clientv3.WithPrefix()); err != nil {
		t.Fatal(err)
	}
	e.Compact()
	if _, err := e.Client.Defragment(ctx, e.URL); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Client.AlarmDisarm(ctx, &clientv3.AlarmMember{}); err != nil {
		t.Fatal(err)
	}
	envoytest.Eventually(t, "etcd to take commits again", func(context.Context) error { return s.try(s.change()) })
	s.end()
}
