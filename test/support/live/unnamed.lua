-- cscf.lua, as if it named no branch function: that of siptrust.lua is set already (Kamailio's own sample asks that first).

local here = debug.getinfo(1, "S").source:match("^@(.*/)")
local on_branch = KSR.tm.t_on_branch
KSR.tm.t_on_branch = function(name)
	if name ~= "ksr_branch_leaving" then
		on_branch(name)
	end
end
dofile(here .. "../../../kamailio-cfg/cscf.lua")
