-- cscf.lua, as if each proven connection had been replaced by another one before the branch is sent.

local here = debug.getinfo(1, "S").source:match("^@(.*/)")
dofile(here .. "../../../kamailio-cfg/cscf.lua")

function ksr_branch_leaving()
	siptrust_out()
	local bound = KSR.pv.get("$avp(siptrust_bound)")
	if bound then
		KSR.pv.sets("$(avp(siptrust_bound)[*])", (bound:gsub("=%d+", "=0")))
	end
end
