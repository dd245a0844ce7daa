package e2e

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/faulttest"
)

// access is one operation of a client on one of the replicas: a read, or an
// apply --if-version, which is a compare-and-swap.
type access struct {
	replica int
	swap    bool
	version deltaplane.Version // swap: that the store must be at
	value   int                // swap: to be written
}

// found is what came of it.
type found struct {
	outcome string             // "ok", "conflict", "unknown"; reads that failed are left out
	version deltaplane.Version // read, or made
	value   int                // read
}

// believed is the store as the model has it: all versions, and how far each
// replica has been seen to be. A replica may be behind, but never goes back,
// and shows no version as what it was not.
type believed struct {
	newest *written // nil for the empty store
	seen   [2]deltaplane.Version
}

// written is a version and those before it.
type written struct {
	version deltaplane.Version
	value   int
	before  *written
	sum     uint64 // of all values
}

func (w *written) at() deltaplane.Version {
	if w == nil {
		return 0
	}
	return w.version
}

// shows reports whether version v was this value.
func (w *written) shows(v deltaplane.Version, value int) bool {
	for ; w != nil && w.version > v; w = w.before {
	}
	return w.at() == v && (w == nil && value == 0 || w != nil && w.value == value)
}

func (w *written) then(value int) *written {
	next := &written{version: w.at() + 1, value: value, before: w, sum: uint64(value)}
	if w != nil {
		next.sum += w.sum * 1_000_003
	}
	return next
}

// storeModel says which outcomes are possible, one operation after the other.
// A write whose outcome nobody knows may take place at any time after it
// began, or never: it stands at the end of the history if not before.
var storeModel = porcupine.Model{
	Init: func() any { return believed{} },
	Step: func(state, input, output any) (bool, any) {
		b, in, out := state.(believed), input.(access), output.(found)
		switch {
		case !in.swap:
			ok := out.version >= b.seen[in.replica] && b.newest.shows(out.version, out.value)
			b.seen[in.replica] = out.version
			return ok, b
		case out.outcome == "conflict":
			return in.version != b.newest.at(), b
		case in.version != b.newest.at():
			return out.outcome == "unknown", b
		}
		b.newest = b.newest.then(in.value)
		return out.outcome == "unknown" || out.version == b.newest.version, b
	},
	Equal: func(one, other any) bool {
		a, b := one.(believed), other.(believed)
		return a.seen == b.seen && a.newest.at() == b.newest.at() && (a.newest == b.newest || a.newest.sum == b.newest.sum)
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
}

// ownWrites checks what the model leaves out: a read sees what the same replica
// had acknowledged before. (A write that takes long is seen through the other
// replica first, so it cannot count from the moment that the model gives it.)
func ownWrites(t *testing.T, ops []porcupine.Operation) {
	t.Helper()
	ended := slices.SortedFunc(slices.Values(ops), func(a, b porcupine.Operation) int { return cmp.Compare(a.Return, b.Return) })
	began := slices.SortedFunc(slices.Values(ops), func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	var acknowledged [2]deltaplane.Version
	for _, op := range began {
		for ; len(ended) > 0 && ended[0].Return < op.Call; ended = ended[1:] {
			in, out := ended[0].Input.(access), ended[0].Output.(found)
			acknowledged[in.replica] = max(acknowledged[in.replica], out.version) // 0 unless ok
		}
		in, out := op.Input.(access), op.Output.(found)
		if !in.swap && out.version < acknowledged[in.replica] {
			t.Errorf("replica %d shows version %d after it has shown or acknowledged %d", in.replica, out.version, acknowledged[in.replica])
		}
	}
}

// register is the resource that the clients write.
func register(value int) string {
	return documents(envoy.DeltaADS, cluster("register")) + fmt.Sprintf("per_connection_buffer_limit_bytes: %d\n", value)
}

var registerValue = regexp.MustCompile(`[bB]uffer_?[lL]imit_?[bB]ytes": *(\d+)`)

// A contest is clients that write the same resource through two replicas.
type contest struct {
	planes [2]*envoytest.Plane
	began  time.Time

	mu  sync.Mutex // guards ops
	ops []porcupine.Operation
}

// run makes operations until stop closes.
func (c *contest) run(t *testing.T, client int, random *rand.Rand, stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		replica := random.IntN(2)
		in := access{replica: replica}
		out, ok := c.do(t, client, in)
		if !ok {
			<-time.After(10 * time.Millisecond) // it may be down: do not spin
			continue
		}
		// What was read may be old, and then the swap must be refused.
		c.do(t, client, access{replica: random.IntN(2), swap: true, version: out.version, value: 1_000_000 + 100_000*client + i})
		<-time.After(time.Duration(random.IntN(50)) * time.Millisecond)
	}
}

// do makes one operation and notes it.
func (c *contest) do(t *testing.T, client int, in access) (out found, ok bool) {
	call := time.Since(c.began)
	if in.swap {
		out = c.swap(in)
	} else if out, ok = c.read(t, in.replica); !ok {
		return out, false
	}
	back := int64(time.Since(c.began))
	if out.outcome == "unknown" {
		back = 1 << 62
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ops = append(c.ops, porcupine.Operation{ClientId: client, Input: in, Call: int64(call), Output: out, Return: back})
	return out, true
}

func (c *contest) swap(in access) found {
	query := url.Values{"if_version": {strconv.FormatUint(uint64(in.version), 10)}}
	plan, err := c.planes[in.replica].Post("/v1/apply", query, register(in.value))
	switch {
	case err == nil:
		return found{outcome: "ok", version: plan.Version}
	case strings.Contains(err.Error(), `"code":"conflict"`):
		return found{outcome: "conflict"}
	}
	return found{outcome: "unknown"}
}

func (c *contest) read(t *testing.T, replica int) (found, bool) {
	page, err := c.planes[replica].Resources(t.Context(), "cluster", 0)
	if err != nil {
		return found{}, false
	}
	out := found{outcome: "ok", version: page.Version}
	for _, r := range page.Resources {
		if m := registerValue.FindSubmatch(r.Content); m != nil {
			out.value, _ = strconv.Atoi(string(m[1]))
		}
	}
	return out, true
}

func TestWhatTwoReplicasAcknowledgeIsLinearizable(t *testing.T) {
	random := seeded(t)
	e := faulttest.StartEtcd(t, "")
	lines := [2]*faulttest.Proxy{e.Line, faulttest.NewProxy(t, strings.TrimPrefix(e.URL, "http://"))}
	c := &contest{began: time.Now()}
	for i, line := range lines {
		c.planes[i] = envoytest.StartPlane(t, "--etcd-endpoints", "http://"+line.Addr(), "--history-commits", "100000")
	}
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for n := range 4 {
		own := rand.New(rand.NewPCG(random.Uint64(), uint64(n)))
		clients.Go(func() { c.run(t, n, own, stop) })
	}
	pause := func() { <-time.After(time.Duration(100+random.IntN(900)) * time.Millisecond) }
	for range linearFaults {
		i := random.IntN(2)
		line, plane := lines[i], c.planes[i]
		switch random.IntN(7) {
		case 0:
			line.Cut()
		case 1:
			line.Hold()
		case 2:
			line.Tear(rand.New(rand.NewPCG(random.Uint64(), 0)), 5_000)
		case 3:
			plane.Kill()
			plane.Start()
		case 4:
			e.Kill()
			pause()
			e.Start()
		case 5:
			e.Pause()
			pause()
			e.Resume()
		case 6:
			line.Cut()
			pause()
			e.Compact()
		}
		pause()
		line.Mend()
		pause()
	}
	close(stop)
	clients.Wait()
	count := map[string]int{}
	for _, op := range c.ops {
		kind := "read"
		if op.Input.(access).swap {
			kind = op.Output.(found).outcome
		}
		count[kind]++
	}
	t.Logf("%d operations: %v", len(c.ops), count)
	if count["ok"] < linearFaults || count["conflict"] == 0 {
		t.Error("too little happened; the test shows nothing")
	}
	ownWrites(t, c.ops)
	if result := porcupine.CheckOperationsTimeout(storeModel, c.ops, time.Minute); result != porcupine.Ok {
		t.Errorf("the history is not linearizable: %s", result)
	}
}
