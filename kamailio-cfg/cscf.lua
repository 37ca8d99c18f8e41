-- The routes of cscf.cfg in Lua (KEMI): kamailio -f kamailio-cfg/cscf.cfg -A CSCF_LUA='"kamailio-cfg/cscf.lua"'

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"

dofile(here .. "../plugin/kamailio/siptrust.lua")

-- What a #!define of cscf.cfg says, without quotes; nil where there is none.
local function defined(name)
	local value = KSR.pv.get("$def(" .. name .. ")")
	return value and (value:gsub('^"(.*)"$', "%1"))
end

local own_domains = { ["own.example"] = true }

function ksr_request_route()
	if KSR.maxfwd.process_maxfwd(10) < 0 then
		KSR.sl.send_reply(483, "Too Many Hops")
		return
	end
	if KSR.is_CANCEL() then
		if KSR.tm.t_check_trans() > 0 then
			relay()
		end
		return
	end
	if KSR.siputils.has_totag() > 0 then
		if KSR.rr.loose_route() > 0 then
			-- Whoever says that there is a call between others is not helped along by us.
			if ours("$si") or ours("$(nh(d){s.unbracket})") or defined("TRANSIT") then
				relay()
			elseif not KSR.is_ACK() then
				KSR.sl.send_reply(403, "Not Here")
			end
		elseif KSR.is_ACK() then
			if KSR.tm.t_check_trans() > 0 then
				relay()
			end
		else
			KSR.sl.send_reply(404, "Not Here")
		end
		return
	end
	if KSR.is_ACK() then
		return
	end
	-- A request that is repeated: tm has answered it, and unlike a native script this one goes on by itself.
	if KSR.tm.t_check_trans() == 0 then
		return
	end
	if KSR.is_OPTIONS() and KSR.is_myself_ruri() then
		KSR.sl.send_reply(200, "OK")
		return
	end
	if KSR.is_REGISTER() then
		-- No roaming here (TS 24.229 §5.3.1.2).
		KSR.sl.send_reply(403, "Forbidden")
		return
	end
	-- An outbound proxy, which is this one: whoever comes next would send the call back here.
	if KSR.hdr.is_present("Route") > 0 then
		KSR.hdr.remove("Route")
		-- Or a plan of siptrustd, which is written for the message as it came, brings it back.
		KSR.textopsx.msg_apply_changes()
	end
	if KSR.is_method_in("IS") then
		KSR.rr.record_route()
	end
	if not leaves() then
		KSR.pv.sets("$fs", defined("INSIDE"))
		KSR.setdsturi(KSR.pv.getw("$_s(" .. defined("NEXT_HOP") .. ")"))
	end
	relay()
end

-- Calls of our own side for others leave, and with TRANSIT those of other networks, too.
function leaves()
	local emergency = KSR.pv.getw("$ru"):lower():match("^urn:service:sos%f[.;?%z]")
	if own_domains[KSR.pv.getw("$rd"):lower()] or emergency or KSR.is_myself_ruri() then
		return false
	end
	return defined("TRANSIT") ~= nil or (ours("$si") and ours("$Ri"))
end

-- Is this an address of our own side?
function ours(variable)
	return KSR.ipops.is_in_subnet(KSR.pv.getw(variable), KSR.pv.getw("$shv(siptrust_nets)")) > 0
end

function relay()
	KSR.tm.t_on_branch("ksr_branch_leaving")
	KSR.tm.t_on_failure("ksr_failure_any")
	if KSR.is_ACK() then
		-- It has no branch.
		siptrust_out()
	end
	if KSR.tm.t_relay() < 0 then
		-- No branch may leave.
		local refused = KSR.pv.get("$avp(siptrust_out_refused)")
		if refused and refused > 0 then
			KSR.sl.send_reply(refused, "No Trusted Next Hop")
			return
		end
		KSR.sl.sl_reply_error()
	end
end

function ksr_branch_leaving()
	siptrust_out()
end

-- A place that does not answer: the next one of the same domain, as long as there is one (RFC 3263 §4.3).
function ksr_failure_any()
	if KSR.tm.t_is_canceled() > 0 then
		return
	end
	if siptrust_failed() then
		relay()
	end
end
