-- The longest lists that can be had, on as many connections as there are, until
-- they are ended: a branch's appointments of a month a hundred at a time, and a
-- doctor's slots of a month. An answer that is none is reported and ends it.
-- wrk -s lists.lua URL -- TOKEN DATE (of day 0, seconds)

local token, today, n

function init(args)
	token, today, n = args[1], tonumber(args[2]), 0
	wrk.headers["Authorization"] = "Bearer " .. token
end

local function day(ahead)
	return os.date("!%Y-%m-%d", today + ahead * 86400)
end

function request()
	n = n + 1
	if n % 2 == 0 then
		return wrk.format("GET", string.format(
			"/api/v1/appointments?branch_id=MUM-01&date_from=%s&date_to=%s" ..
			"&per_page=100&page=%d", day(-15), day(15), 1 + n / 2 % 50))
	end
	return wrk.format("GET", string.format(
		"/api/v1/appointments/slots?doctor_id=DOC-%04d&branch_id=MUM-01" ..
		"&date=%s&date_to=%s", 1 + n % 200, day(1), day(31)))
end
