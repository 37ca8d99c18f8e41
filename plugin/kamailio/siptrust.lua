-- siptrust for Kamailio scripts in Lua (KEMI). The routes of siptrust.cfg do the work; these functions call them.
--
-- In kamailio.cfg, after the loadmodule lines:
--
--   loadmodule "app_lua.so"
--   modparam("app_lua", "load", "/etc/kamailio/kamailio.lua")
--   cfgengine "lua"
--   #!define SIPTRUST_LUA
--   include_file "/etc/kamailio/siptrust/siptrust.cfg"
--
-- In kamailio.lua:
--
--   dofile("/etc/kamailio/siptrust/siptrust.lua")
--
--   function ksr_request_route()
--     siptrust_in()                        -- the first line
--     ...                                  -- as it was
--   end
--   function ksr_reply_route()
--     siptrust_reply()                     -- the first line
--   end
--   function ksr_branch_any()              -- KSR.tm.t_on_branch("ksr_branch_any") where branches leave the own network
--     siptrust_out()                       -- the last line
--   end
--   function ksr_onsend_route()
--     siptrust_send()                      -- the last look at what goes over a proven connection
--   end
--   function ksr_failure_any()             -- where the script tries again
--     if siptrust_failed() then ... end    -- another place of the same domain may be tried
--   end
--
-- siptrust.cfg says what each of them does, and what the script may read afterwards ($avp(siptrust_trusted) and so on).
-- The script goes on after a question by running ksr_request_route() again from its first line.
-- Package on Debian: kamailio-lua-modules, besides those that siptrust.cfg names.

-- Where a native route ends the script (a question is under way, the message is refused or dropped), Lua ends, too.
local function run(route)
	local result = KSR.route(route)
	if result < 0 then
		-- Nothing goes on unjudged: Kamailio would send a branch or a message whose function only fails.
		KSR.set_drop()
		error("siptrust.cfg is not included, or without SIPTRUST_LUA: route " .. route .. " gave " .. result)
	end
	if result == 0 then
		KSR.x.exit()
	end
end

function siptrust_in()
	run("SIPTRUST_IN")
end

function siptrust_reply()
	run("SIPTRUST_REPLY")
end

function siptrust_out()
	run("SIPTRUST_OUT")
end

function siptrust_send()
	run("SIPTRUST_SEND")
end

function siptrust_failed()
	run("SIPTRUST_FAILED")
	return KSR.pv.get("$avp(siptrust_next)") == 1
end

-- Kamailio calls these by name.

function SIPTRUST_POLLING()
	run("SIPTRUST_POLLING")
end

function SIPTRUST_PEER_AGAIN()
	run("SIPTRUST_PEER_AGAIN")
end

function SIPTRUST_MESSAGE_AGAIN()
	run("SIPTRUST_MESSAGE_AGAIN")
end

function siptrust_connection_event()
	run("SIPTRUST_CLOSED")
end
