// Package storepb is the Go form of what the store keeps in etcd.
package storepb

//go:generate sh -c "GOBIN=$(go env GOMOD | xargs dirname)/.tools go install google.golang.org/protobuf/cmd/protoc-gen-go"
//go:generate sh -c "PATH=$(go env GOMOD | xargs dirname)/.tools:$PATH protoc --go_out=. --go_opt=paths=source_relative store.proto"
