package shape

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAScriptIsTameIfItSpellsOutAllThatItCallsAndNoneOfItReroutes(t *testing.T) {
	const usual = `
-- takes labels up; clearRouteCache is not called: it says so here alone
--[==[ handle:clearRouteCache() ]==]
local names = { ["x-a"] = 1, [2] = "b", c = [[handle:clearRouteCache()]] }
function envoy_on_request(handle)
  local headers = handle:headers()
  for k, v in pairs(headers) do handle:logInfo(k .. "=" .. string.format("%s", v)) end
  if headers:get(":path"):match("^/a") and names["x-a"] == 1 then headers:replace(":path", '/b\'') end
  handle:streamInfo():dynamicMetadata():set("space", "key", 0x1p4 + 1e-3 .. "")
end`
	if !tame(usual) {
		t.Error("a usual script is not tame")
	}
	for _, script := range []string{
		"handle:clearRouteCache()", "handle : \n clearRouteCache()", "handle.clearRouteCache(handle)", "local f = handle.clearRouteCache", "handle --[[ ]] :--x\nclearRouteCache()",
		`handle["clear" .. "RouteCache"](handle)`, `handle["clearRouteCache"](handle)`, `handle[ [[clearRouteCache]] ](handle)`, `handle["clear\82outeCache"](handle)`, "handle[name](handle)", "t[1](handle)",
		"handle:laterMethod()", "handle.laterMethod(handle)", "x = t.f'text'", "x = t.f{}", "load('x')", "x = _G", "local g = getmetatable(handle)", "require 'm'", "debug.getinfo(1)", "setfenv(1, {})",
		"x = 'open", "x = [[open", "--[[ open", "x = `y`", "x = 'two\nlines'", "x = 'a\\z  b'", "--[[ ]] handle:clearRouteCache()", "--[=[ ]] ]=] handle:clearRouteCache()", "x = 'a\\\\' handle:clearRouteCache()",
		"x = [==[ ]] ]==] handle:clearRouteCache()", "x = 1 .. handle:clearRouteCache()", "--x\rhandle:clearRouteCache()",
	} {
		if tame(script) {
			t.Errorf("%q is tame", script)
		}
	}
}

// Whatever surrounds it, a script that names the method outside of text and
// comments is not tame; and no script makes the lexer panic or go on for ever.
func TestNothingHidesACallThatReroutes(t *testing.T) {
	part := rapid.SampledFrom([]string{"x", " ", "\n", "'a'", `"\""`, "[[b]]", "[=[]]]=]", "--c\n", "--[[d]]", "--[=[e]=]", "1", "0x1p-2", ".5", "1e9", "..", ".", "::", "=", "(", ")", "[1]", "{", "}", "-", ";"})
	rapid.Check(t, func(t *rapid.T) {
		before := strings.Join(rapid.SliceOf(part).Draw(t, "before"), " ")
		after := strings.Join(rapid.SliceOf(part).Draw(t, "after"), " ")
		for _, call := range []string{"h:clearRouteCache()", "h.clearRouteCache(h)", "load(s)", "h[x](h)"} {
			if tame(before + " " + call + " " + after) {
				t.Fatalf("%q is tame", before+" "+call+" "+after)
			}
		}
		tame(rapid.String().Draw(t, "any text"))
	})
}
