-- Slot lists of random doctors on random days.
-- wrk -s slots.lua URL -- TOKEN DAYS DATE (of day 0, seconds)

local token, days, today

function init(args)
	token, days, today = args[1], tonumber(args[2]), tonumber(args[3])
	wrk.headers["Authorization"] = "Bearer " .. token
	math.randomseed(tonumber(tostring({}):sub(8)) or os.time())
end

function request()
	local doctor = math.random(200)
	local date = os.date("!%Y-%m-%d", today + math.random(days) * 86400)
	return wrk.format("GET", string.format(
		"/api/v1/appointments/slots?doctor_id=DOC-%04d&date=%s&branch_id=%s",
		doctor, date, doctor % 2 == 1 and "MUM-01" or "DEL-01"))
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format(
		"RESULT requests=%d us=%d status=%d connect=%d read=%d write=%d timeout=%d p50=%d p99=%d\n",
		summary.requests, summary.duration, e.status, e.connect, e.read,
		e.write, e.timeout, latency:percentile(50), latency:percentile(99)))
end
