-- cscf.lua, as if siptrust.cfg had no outbound hook.

local here = debug.getinfo(1, "S").source:match("^@(.*/)")
local route = KSR.route
KSR.route = function(name)
	if name == "SIPTRUST_OUT" then
		return -1
	end
	return route(name)
end
dofile(here .. "../../../kamailio-cfg/cscf.lua")
