package deltaplane

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// absentKV is an etcd that does not answer: it refuses the connection, or
// keeps who asks waiting.
type absentKV struct {
	clientv3.KV
	refuses bool
}

func (k absentKV) answer(ctx context.Context) error {
	if k.refuses {
		return status.Error(codes.Unavailable, "connection refused")
	}
	<-ctx.Done()
	return status.FromContextError(ctx.Err()).Err()
}

func (k absentKV) Txn(ctx context.Context) clientv3.Txn { return absentTxn{ctx, k} }

func (k absentKV) Get(ctx context.Context, _ string, _ ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	return nil, k.answer(ctx)
}

type absentTxn struct {
	ctx context.Context
	kv  absentKV
}

func (x absentTxn) If(...clientv3.Cmp) clientv3.Txn        { return x }
func (x absentTxn) Then(...clientv3.Op) clientv3.Txn       { return x }
func (x absentTxn) Else(...clientv3.Op) clientv3.Txn       { return x }
func (x absentTxn) Commit() (*clientv3.TxnResponse, error) { return nil, x.kv.answer(x.ctx) }

// A commit gives an etcd that does not answer ten seconds, and the request
// under way its three, and then says what is known.
func TestACommitGivesUpAnEtcdThatDoesNotAnswerAndSaysWhatIsKnown(t *testing.T) {
	for name, c := range map[string]struct {
		refuses bool
		changes int // resources; many have values that are written before
		says    string
	}{
		"when it keeps a commit waiting":   {false, 1, "may still turn up in the history"},
		"when it refuses connections":      {true, 1, "may still turn up in the history"},
		"when it never took the values":    {false, 1000, "nothing was committed"},
		"when nothing was to be committed": {false, 0, "nothing was committed"},
	} {
		t.Run(name, func(t *testing.T) {
			names := make([]string, c.changes)
			for i := range names {
				names[i] = strings.Repeat("c", i+1)
			}
			change := put(t, 1, names...)
			synctest.Test(t, func(t *testing.T) {
				s := &Store{
					cfg: Config{}.withDefaults(), log: slog.New(slog.DiscardHandler), keys: layout{"/"},
					etcd: &connection{KV: absentKV{refuses: c.refuses}}, at: position{snapshot: empty},
				}
				began := time.Now()
				p := propose(s.position(), []*request{{ctx: t.Context(), change: change}}, &tables{}, time.Now())
				err := s.confirm(t.Context(), p)
				if err == nil {
					err = s.submit(t.Context(), p)
				}
				took := time.Since(began)
				if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("ends with %v", err)
				}
				if took < patience || took > patience+txnTimeout+2*time.Second {
					t.Errorf("after %s", took)
				}
				if h := s.Health(); h.Connected || h.Detail == "" {
					t.Errorf("health is %+v", h)
				}
			})
		})
	}
}
