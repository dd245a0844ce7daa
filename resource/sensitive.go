package resource

import (
	"strings"
	"sync"

	udpa "github.com/cncf/xds/go/udpa/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

var sensitiveFields sync.Map // protoreflect.FieldDescriptor → bool

// alsoSensitive hold key material although Envoy's protos do not say so.
var alsoSensitive = map[protoreflect.FullName]bool{
	"envoy.config.core.v3.GrpcService.GoogleGrpc.CallCredentials.access_token":                                                 true,
	"envoy.config.core.v3.GrpcService.GoogleGrpc.CallCredentials.google_refresh_token":                                         true,
	"envoy.config.core.v3.GrpcService.GoogleGrpc.CallCredentials.GoogleIAMCredentials.authorization_token":                     true,
	"envoy.config.core.v3.GrpcService.GoogleGrpc.CallCredentials.ServiceAccountJWTAccessCredentials.json_key":                  true,
	"envoy.config.trace.v3.LightstepConfig.access_token":                                                                       true,
	"envoy.extensions.filters.http.api_key_auth.v3.Credential.key":                                                             true,
	"envoy.extensions.filters.http.aws_lambda.v3.Credentials.secret_access_key":                                                true,
	"envoy.extensions.filters.http.aws_lambda.v3.Credentials.session_token":                                                    true,
	"envoy.extensions.filters.http.jwt_authn.v3.JwtProvider.local_jwks":                                                        true,
	"envoy.extensions.grpc_service.call_credentials.access_token.v3.AccessTokenCredentials.token":                              true,
	"envoy.extensions.grpc_service.call_credentials.google_iam.v3.GoogleIamCredentials.authorization_token":                    true,
	"envoy.extensions.grpc_service.call_credentials.google_refresh_token.v3.GoogleRefreshTokenCredentials.token":               true,
	"envoy.extensions.grpc_service.call_credentials.service_account_jwt_access.v3.ServiceAccountJwtAccessCredentials.json_key": true,
}

// harmless say where key material is, and do not hold it.
var harmless = map[protoreflect.FullName]bool{
	"envoy.config.core.v3.DataSource.filename":             true,
	"envoy.config.core.v3.DataSource.environment_variable": true,
	"envoy.config.core.v3.WatchedDirectory.path":           true,
}

// secretHeaders are headers whose values let people in.
var secretHeaders = map[string]bool{
	"authorization": true, "proxy-authorization": true, "cookie": true, "set-cookie": true,
	"x-api-key": true, "api-key": true, "x-auth-token": true, "x-amz-security-token": true,
}

// hides reports whether what m's field f holds must not be shown.
func hides(m protoreflect.Message, f protoreflect.FieldDescriptor) bool {
	if f.Parent().FullName() == "envoy.config.core.v3.HeaderValue" && f.Name() != "key" {
		return secretHeaders[strings.ToLower(m.Get(f.ContainingMessage().Fields().ByName("key")).String())]
	}
	return sensitive(f)
}

// sensitive reports whether f holds key material, at whatever depth below it:
// Envoy's protos mark such fields (udpa.annotations.sensitive).
func sensitive(f protoreflect.FieldDescriptor) bool {
	if known, ok := sensitiveFields.Load(f); ok {
		return known.(bool)
	}
	marked, _ := proto.GetExtension(f.Options(), udpa.E_Sensitive).(bool)
	marked = marked || alsoSensitive[f.FullName()]
	sensitiveFields.Store(f, marked)
	return marked
}
