//go:build faults

package e2e

// benchForms are the arguments of benches that must succeed.
var benchForms = [][]string{
	{"--pattern=cluster", "--compare=plain,split"},
	{"--pattern=cluster", "--hosts=1"},
	{"--pattern=cluster", "--compare=scoped,split", "--envoys=3"},
	{"--pattern=route", "--routes=600", "--compare=plain,split,scoped", "--concurrency=2"},
	{"--pattern=endpoint", "--routes=600", "--compare=plain,split,scoped"},
	{"--pattern=listener", "--routes=600", "--compare=plain,split,scoped"},
	{"--pattern=weight", "--routes=600", "--compare=plain,split,scoped"},
	{"--pattern=weight", "--routes=600", "--hosts=1", "--compare=plain,split"},
	{"--routes=1", "--hosts=1", "--duration=1s"},
}

// loadForms are the arguments of loads that must lose nothing.
var loadForms = [][]string{
	{"--pattern=cluster", "--protocol=grpc", "--tls"},
	{"--pattern=cluster", "--tls", "--rate=500"},
	{"--pattern=weight", "--protocol=grpc", "--envoys=2"},
	{"--pattern=route", "--routes=600", "--compare=plain,split,scoped", "--concurrency=2", "--timeout=2s"},
}
