-- cscf.lua, as if each proven connection had been replaced by another one before the branch is sent.

local here = debug.getinfo(1, "S").source:match("^@(.*/)")
dofile(here .. "../../../kamailio-cfg/cscf.lua")

function ksr_branch_leaving()
	siptrust_out()
	if KSR.pv.get("$avp(siptrust_bound)") then
		KSR.pv.seti("$(avp(siptrust_bound)[*])", -1)
	end
end
