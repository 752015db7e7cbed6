-- SPDX-License-Identifier: AGPL-3.0-or-later
-- What wrk sends: wrk ... -s load.lua URL -- TOKENS WORKLOAD SEED [each]
--
-- TOKENS has a line a user: token, id, name, ids of tasks. WORKLOAD is list,
-- get, create, status, mix, login or health. With `each` the answers are
-- counted for every thread, which is for every client when there are as many
-- threads as connections, and within the whole seconds that all of them had:
-- the first two and the last are not counted. Requests are put together once,
-- before the clock starts; what comes out at the end is one line of JSON.

local PASSWORD = "correct horse battery staple"
local JSON = "application/json"
local STATUSES = { "pending", "in_progress", "completed" }

local make = {}

function make.list(pool, user)
	pool[#pool + 1] = wrk.format("GET",
	    "/tasks?limit=20&sort=-created_at", user.bearer)
end

function make.get(pool, user)
	for id in user.ids:gmatch("[^,]+") do
		pool[#pool + 1] = wrk.format("GET", "/tasks/" .. id,
		    user.bearer)
	end
end

function make.status(pool, user)
	for id in user.ids:gmatch("[^,]+") do
		local status = STATUSES[1 + #pool % #STATUSES]
		pool[#pool + 1] = wrk.format("PATCH",
		    "/tasks/" .. id .. "/status", user.sends,
		    '{"status":"' .. status .. '"}')
	end
end

function make.create(pool, user)
	pool[#pool + 1] = wrk.format("POST", "/tasks", user.sends,
	    '{"title":"A task made under load","description":'
	    .. '"Ask \\"Bob\\", then write down what he says",'
	    .. '"due_date":"2030-03-01"}')
end

function make.login(pool, user)
	pool[#pool + 1] = wrk.format("POST", "/auth/token",
	    { ["Content-Type"] = JSON }, '{"grant_type":"password",'
	    .. '"username":"' .. user.name .. '","password":"' .. PASSWORD
	    .. '"}')
end

function make.health(pool)
	pool[1] = wrk.format("GET", "/healthz")
end

-- Which requests a workload is made of, in per cent.
local SHARES = {
	mix = { { "list", 35 }, { "get", 35 }, { "status", 20 },
	    { "create", 10 } },
}

local function users(path)
	local lines = io.lines(path)
	return function()
		local line = lines()
		if not line then return nil end
		local token, _, name, ids =
		    line:match("^(%S+) (%S+) (%S+) (%S+)$")
		local bearer = "Bearer " .. token
		return { name = name, ids = ids,
		    bearer = { Authorization = bearer },
		    sends = { Authorization = bearer,
			["Content-Type"] = JSON } }
	end
end

-- {{limit, pool}, ...}: a draw of 1 to 100 takes the first it does not pass.
local function build(path, workload)
	local shares = SHARES[workload] or { { workload, 100 } }
	local pools, limit = {}, 0
	for i, share in ipairs(shares) do
		limit = limit + share[2]
		pools[i] = { limit = limit, make = make[share[1]] }
	end
	for user in users(path) do
		for _, pool in ipairs(pools) do pool.make(pool, user) end
	end
	return pools
end

local threads = {}

function setup(thread)
	threads[#threads + 1] = thread
	thread:set("number", #threads)
end

local pools
seconds = {}

function init(args)
	pools = build(args[1], args[2])
	math.randomseed(tonumber(args[3]) * 1000 + number)
	if args[4] == "each" then
		response = function()
			local now = "s" .. os.time()
			seconds[now] = (seconds[now] or 0) + 1
		end
	end
end

function request()
	local draw = math.random(100)
	for _, pool in ipairs(pools) do
		if draw <= pool.limit then return pool[math.random(#pool)] end
	end
end

-- Answers a thread, from two seconds after the first one to the last but one.
local function answered()
	local first, last, each = math.huge, 0, {}
	for i, thread in ipairs(threads) do
		each[i] = thread:get("seconds")
		for key in pairs(each[i]) do
			first = math.min(first, tonumber(key:sub(2)))
			last = math.max(last, tonumber(key:sub(2)))
		end
	end
	for i, counts in ipairs(each) do
		each[i] = 0
		for key, n in pairs(counts) do
			local at = tonumber(key:sub(2))
			if at >= first + 2 and at < last then
				each[i] = each[i] + n
			end
		end
	end
	return table.concat(each, ",")
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format('\nRESULT {"requests":%d,"us":%d,"bytes":%d,'
	    .. '"refused":%d,"broken":%d,"p50":%d,"p99":%d,"max":%d,'
	    .. '"answered":[%s]}\n', summary.requests, summary.duration,
	    summary.bytes, e.status, e.connect + e.read + e.write + e.timeout,
	    latency:percentile(50), latency:percentile(99), latency.max,
	    answered()))
end
