// Package deltaplanev1 is the Go form of deltaplane's own resource types.
package deltaplanev1

//go:generate sh -c "GOBIN=$(go env GOMOD | xargs dirname)/.tools go install google.golang.org/protobuf/cmd/protoc-gen-go"
//go:generate sh -c "PATH=$(go env GOMOD | xargs dirname)/.tools:$PATH protoc --go_out=. --go_opt=paths=source_relative fleet.proto shape.proto"
