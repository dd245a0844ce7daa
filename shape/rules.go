package shape

// What stands in the fields of a route table, and why each of them means in a
// leaf what it means in the whole table. A test compares the numbers with the
// descriptors, so that a field which is new in Envoy's API is thought about; at
// run time one that is not here leaves the table whole.
//
// In general a field is safe when it is looked at only after the route has been
// found, as the route is the same one with the same virtual host around it.

const (
	copied     = "copied into each leaf"
	withHost   = "stands with its host in each leaf that has the host"
	afterwards = "counts once the route has been found"
	narrows    = "narrows what the path leaves, on the same request"
)

// How they would be told of: "virtual host "x": route 3 …".
const (
	choosesRoutes = "has route specifiers, which may choose another route by all of the table"
	redirects     = "follows internal redirects: these are routed again under another authority and path"
	ownAction     = "leaves its action to a filter, of which nothing is known"
)

var tableRules = rules{
	1:  {safe: "each leaf has a name of its own"},
	2:  {whole: "has virtual hosts inline"}, // never in a shell
	9:  {whole: "gets virtual hosts by VHDS as they are asked for, by names that begin with that of the table"},
	3:  {whole: "has internal_only_headers, which Envoy takes off before it knows a request's scope"},
	4:  {safe: copied},
	5:  {safe: copied},
	6:  {safe: copied},
	8:  {safe: "copied, with Header added"},
	10: {safe: copied},
	7:  {safe: copied},
	11: {safe: copied},
	12: {check: specifierPlugin},
	13: {safe: copied},
	14: {safe: "a domain covers all its ports"},
	18: {whole: "finds virtual hosts by a header of its own (vhost_header), not by the authority"},
	15: {check: pathParameters},
	16: {check: filterConfig},
	17: {safe: copied},
	19: {whole: choosesRoutes},
}

var hostRules = rules{
	1:  {safe: "names of hosts stay as they are"},
	2:  {safe: "a leaf has every host with a domain that can match there"},
	3:  {safe: "a leaf has every route with a path that can match there; see routeRules"},
	21: {check: matcherTree},
	4:  {safe: withHost},
	5:  {safe: withHost},
	6:  {safe: withHost},
	7:  {safe: withHost},
	13: {safe: withHost},
	10: {safe: withHost},
	11: {safe: withHost},
	8:  {safe: withHost},
	15: {check: filterConfig},
	14: {safe: withHost},
	19: {safe: withHost},
	16: {safe: withHost},
	20: {safe: withHost},
	17: {safe: withHost},
	23: {safe: withHost},
	18: {safe: withHost},
	25: {safe: withHost},
	22: {safe: withHost},
	24: {safe: withHost},
	26: {whole: choosesRoutes},
}

var routeRules = rules{
	14: {safe: "names of routes stay as they are"},
	1:  {check: matchRules.content},
	2:  {check: actionRules.content},
	3:  {safe: "the client's next request is routed like any other"},
	7:  {safe: afterwards},
	17: {whole: ownAction},
	18: {safe: afterwards},
	4:  {safe: afterwards},
	5:  {safe: afterwards},
	13: {check: filterConfig},
	9:  {safe: afterwards},
	12: {safe: afterwards},
	10: {safe: afterwards},
	11: {safe: afterwards},
	15: {safe: afterwards},
	16: {safe: afterwards},
	19: {safe: afterwards},
	20: {safe: afterwards},
	21: {whole: choosesRoutes},
}

var matchRules = rules{
	1:  {safe: "bounds the path"},
	2:  {safe: "bounds the path"},
	10: {safe: "counts for any path"},
	12: {safe: "counts for any path"},
	14: {safe: "bounds the path"},
	15: {safe: "counts for any path"},
	4:  {safe: "makes it count for any path"},
	9:  {safe: narrows},
	6:  {safe: narrows},
	7:  {safe: narrows},
	17: {safe: narrows},
	8:  {safe: narrows},
	11: {safe: narrows},
	13: {safe: narrows},
	16: {safe: narrows},
}

var actionRules = rules{
	1:  {safe: afterwards},
	2:  {safe: afterwards},
	3:  {check: weights},
	37: {safe: "see the table's plugins"},
	39: {check: specifierPlugin},
	20: {safe: afterwards},
	4:  {safe: afterwards},
	5:  {safe: "the path is rewritten when it is no longer looked at"},
	32: {safe: "the path is rewritten when it is no longer looked at"},
	41: {safe: "the path is rewritten when it is no longer looked at"},
	45: {safe: "the path is rewritten when it is no longer looked at"},
	6:  {safe: "the host is rewritten when it is no longer looked at"},
	7:  {safe: "the host is rewritten when it is no longer looked at"},
	29: {safe: "the host is rewritten when it is no longer looked at"},
	35: {safe: "the host is rewritten when it is no longer looked at"},
	44: {safe: "the host is rewritten when it is no longer looked at"},
	38: {safe: afterwards},
	8:  {safe: afterwards},
	24: {safe: afterwards},
	42: {safe: afterwards},
	40: {safe: afterwards},
	9:  {safe: afterwards},
	33: {safe: afterwards},
	30: {safe: afterwards},
	11: {safe: afterwards},
	13: {safe: afterwards},
	14: {safe: afterwards},
	15: {safe: afterwards},
	17: {safe: afterwards},
	23: {safe: afterwards},
	28: {safe: afterwards},
	25: {safe: afterwards},
	34: {whole: redirects},
	26: {check: redirectAction},
	31: {safe: "counts with internal redirects only"},
	27: {safe: afterwards},
	36: {safe: afterwards},
}
