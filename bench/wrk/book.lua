-- Bookings of distinct slots: a number from BASE for each, threads in turn.
-- wrk -s book.lua URL -- TOKEN T0 BASE THREADS [DIRECTORY]
-- With a directory the appointment of each answer is a line of a file in it, and
-- the statuses that came are counted. A 503 without Retry-After counts as 500.

local threads = {}

function setup(thread)
	thread:set("id", #threads)
	table.insert(threads, thread)
end

function init(args)
	t0, n, step = tonumber(args[2]), tonumber(args[3]) + id, tonumber(args[4])
	wrk.method = "POST"
	wrk.path = "/api/v1/appointments"
	wrk.headers["Authorization"] = "Bearer " .. args[1]
	wrk.headers["Content-Type"] = "application/json"
	if args[5] then
		local file = assert(io.open(args[5] .. "/" .. id, "w"))
		statuses = {}
		function response(status, headers, body)
			if status == 503 and not headers["Retry-After"] then
				status = 500
			end
			statuses[status] = (statuses[status] or 0) + 1
			if status == 201 then
				file:write(body:match('"appointment_id":"([^"]+)"'), "\n")
			end
		end
	end
end

-- The instant in India's wall-clock time.
local function stamp(seconds)
	return os.date("!%Y-%m-%dT%H:%M:%S+05:30", seconds + 19800)
end

function request()
	local slot = math.floor(n / 200) % 48
	local from = t0 + math.floor(n / 9600) * 86400 + slot * 600
		+ (slot >= 24 and 3600 or 0)
	local doctor = 1 + n % 200
	local body = string.format('{"patient_id":"PAT-2026-%05d",' ..
		'"doctor_id":"DOC-%04d","branch_id":"%s","slot_start":"%s",' ..
		'"slot_end":"%s","visit_type":"new_consultation",' ..
		'"notes":"Patient reports persistent cough"}',
		1 + n % 49900, doctor, doctor % 2 == 1 and "MUM-01" or "DEL-01",
		stamp(from), stamp(from + 600))
	n = n + step
	return wrk.format(nil, nil, nil, body)
end

-- As STATUS:COUNT,..., of all threads; nothing if they are not counted.
local function counted()
	local sum, list = {}, {}
	for _, thread in ipairs(threads) do
		for status, n in pairs(thread:get("statuses") or {}) do
			sum[status] = (sum[status] or 0) + n
		end
	end
	for status, n in pairs(sum) do
		table.insert(list, status .. ":" .. n)
	end
	return #list > 0 and " statuses=" .. table.concat(list, ",") or ""
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format(
		"RESULT requests=%d us=%d status=%d connect=%d read=%d write=%d timeout=%d p50=%d p99=%d%s\n",
		summary.requests, summary.duration, e.status, e.connect, e.read,
		e.write, e.timeout, latency:percentile(50), latency:percentile(99),
		counted()))
end
