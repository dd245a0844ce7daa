package bench

import (
	"errors"
	"net/http"
	"testing"

	"github.com/deltaplane/deltaplane/bench/traffic"
)

func TestALoadThatCannotTellOldFromNewIsNotMeasured(t *testing.T) {
	for _, c := range []Config{
		{Pattern: Endpoint, Load: &Load{}}, {Pattern: Listener, Load: &Load{}}, {Load: &Load{Protocol: "smtp"}}, {Load: &Load{Protocol: traffic.GRPC, Method: http.MethodGet}},
		{Load: &Load{Workers: 1}, Envoys: 2}, {Load: &Load{Workers: 1 << 20}}, {Load: &Load{Requests: -1}}, {Load: &Load{Rate: -1}}, {Load: &Load{Timeout: 1}},
	} {
		if _, err := c.withDefaults(); !errors.Is(err, ErrConfig) {
			t.Errorf("%s with %+v: error is %v", c.Pattern, *c.Load, err)
		}
	}
	c, err := Config{Load: &Load{}}.withDefaults()
	if err != nil || c.Load.Requests != 10000 || c.Load.Workers != 200 || c.Load.Method != http.MethodPost || c.Files >= 0 {
		t.Errorf("config %+v with %+v, error %v", c, c.Load, err)
	}
}
