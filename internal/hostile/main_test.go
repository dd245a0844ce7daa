package hostile

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane/internal/envoytest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		envoytest.CleanUp()
		os.Exit(code)
	}))
}
