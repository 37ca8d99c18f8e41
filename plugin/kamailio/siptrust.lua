-- siptrust for Kamailio scripts in Lua (KEMI).
--
-- kamailio.cfg, after the loadmodule lines:
--   loadmodule "app_lua.so"
--   modparam("app_lua", "load", "/etc/kamailio/kamailio.lua")
--   cfgengine "lua"
--   #!define SIPTRUST_LUA
--   #!define SIPTRUST_INSIDE_NETS "10.0.0.0/8"
--   include_file "/etc/kamailio/siptrust/siptrust.cfg"
-- kamailio.lua, the first line:
--   dofile("/etc/kamailio/siptrust/siptrust.lua")
--
-- The gates of siptrust.cfg stay native. This file stands before the script's ksr_request_route(), and gives the names
-- that Kamailio looks for in Lua. In each branch function (KSR.tm.t_on_branch("ksr_branch_any")) add as the last line:
--   siptrust_out()
-- A script with a ksr_reply_route() of its own says #!define SIPTRUST_LUA_REPLY, with a ksr_onsend_route() #!define
-- SIPTRUST_LUA_ONSEND: they run after the gates. One that asks KSR.tm.t_is_set("branch_route") before it names a function, as
-- Kamailio's sample does, has at its end: SIPTRUST_BRANCH = ksr_branch_manage. Package on Debian: kamailio-lua-modules.

-- Where a native route ends the script (a branch is refused), Lua ends, too. Nothing goes on where the route is missing.
-- `branch`: the route has named the default branch_route by its number, which is that of another function here.
local function run(route, branch)
	local result = KSR.route(route)
	if branch then KSR.tm.t_on_branch("SIPTRUST_BRANCH") end
	if result < 0 then
		KSR.set_drop()
		error("siptrust.cfg is not included, or without SIPTRUST_LUA: route " .. route .. " gave " .. result)
	end
	if result == 0 then KSR.x.exit() end
end

-- Where a branch goes, and what it may say there.
function siptrust_out()
	run("SIPTRUST_OUT", true)
end

-- For a failure function: true where another place of the same domain may be tried (KSR.tm.t_relay()).
function siptrust_failed()
	run("SIPTRUST_FAILED")
	return KSR.pv.get("$avp(siptrust_next)") == 1
end

-- Kamailio calls these by name: the branch of a request for which the script names none, the poll, a closed connection.
SIPTRUST_BRANCH = siptrust_out

function SIPTRUST_POLLING()
	run("SIPTRUST_POLLING")
end

function siptrust_connection_event()
	run("SIPTRUST_CLOSED")
end

-- The script's own ksr_request_route() runs after route(SIPTRUST_REQUEST).
setmetatable(_G, {
	__newindex = function(globals, name, value)
		rawset(globals, name, value)
		if name == "ksr_request_route" then
			globals[name] = function()
				run("SIPTRUST_REQUEST", true)
				value()
			end
		end
	end,
})
