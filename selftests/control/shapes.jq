# SPDX-License-Identifier: MIT
# Where a reply is not of its shape, one line each. Arguments: $shapes, $shape.

def uint: type == "number" and . >= 0 and . == floor;

def is($word):
	if $word == "uint" then uint
	elif $word == "hex" then type == "string" and test("^[0-9a-f]{32}$")
	else type == $word end;

# `$path` is for the message only.
def wrong($s; $path):
	. as $value
	| if ($s | type) == "string" then
		if $s[0:1] == "@" then wrong($shapes[$s]; $path)
		elif ($s | contains(" ")) then	# a family of counters
			wrong([$s | split(" ")[] | {key: ., value: "uint"}] | from_entries; $path)
		elif any($s | split("|")[]; . as $word | $value | is($word)) then empty
		else "\($path): \($value | tojson | .[0:60]) is not \($s)" end
	elif ($s | type) == "array" then
		if type != "array" then "\($path): not an array"
		else range(length) as $i | .[$i] | wrong($s[0]; "\($path)[\($i)]") end
	elif type != "object" then "\($path): not an object"
	else
		($s | keys[]) as $key
		| ($key | rtrimstr("?")) as $name
		| if $key == "*" then keys[] as $k | $value[$k] | wrong($s["*"]; "\($path).\($k)")
		elif has($name) then .[$name] | wrong($s[$key]; "\($path).\($name)")
		elif $key == $name then "\($path).\($name): missing"
		else empty end
	end;

wrong($shapes[$shape]; $shape)
