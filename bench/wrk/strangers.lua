-- Calls with an access token that is none, on as many connections as there
-- are, until they are ended: wrk -s strangers.lua URL

function init(args)
	wrk.path = "/api/v1/queue?doctor_id=DOC-0001"
	wrk.headers["Authorization"] = "Bearer not.a.token"
end
