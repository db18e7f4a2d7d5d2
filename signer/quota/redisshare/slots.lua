-- One fleet's sequence of calls to one vault.
--
-- The store runs this script as one step, so a record has one writer at a time
-- and one clock. It holds the controller of package quota once for the whole
-- fleet (the same rules, names and constants: a test drives both and compares),
-- and grants stretches of the one sequence of sends to whoever asks.
--
-- KEYS[1]  the record: a hash of numbers; a missing one is zero, yes is 1
-- KEYS[2]  requesters: a sorted set, by the time of their last question
-- KEYS[3]  when the last calls were sent: a list, oldest first
-- KEYS[4]  accepted units: a hash, by the number of a tenth of a second
-- ARGV[1]  the question, as JSON; see question in ask.go
--
-- It answers with texts, in the order of answer in ask.go. Times in here are
-- seconds since the record's birth. A new epoch is published on a channel that
-- is named like the record.

local RECORD, SEEN, SENDS, ACCEPTS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ask = cjson.decode(ARGV[1])
local min, max, floor, ceil, abs = math.min, math.max, math.floor, math.ceil, math.abs

-- Constants of the allocator.
local BATCH = 0.25 -- s of the fleet's rate that are granted at once
local LATE = 0.02 -- s: a slot is granted that late at most
local CATCH_UP = 0.5 -- s in which a credit may be used
local SLACK = 0.05 -- s that a call may be later than its slot, in all
local LEAD = 10 -- s: no slot is granted that far ahead
local ACTIVE = 2.5 -- s since the last question of a requester that counts
local GATHER = 4 -- s in which requesters that lost the store are back
local EXPIRY = 3600 -- s without a question

-- Constants of the controller.
local ONE_WAY, LEAST_SCALE = 0.009, 0.02
local TRICKLE_GAIN, TRICKLE_GOAL, MOST_BOOST = 0.5, 0.002, 64
local RUN_LENGTH, MEAN_WEIGHT = 3, 0.02
local MOST_SENDS, BUCKET, BUCKETS = 4096, 0.1, 512
local FIRST_GAP, WIDEST_GAP, PATIENCE = 0.12, 0.5, 2
local EARLY, STALE, LEAST_ERR = 0.3, 0.5, 0.01
local CLIMB_STEP, LAST_STEP, CLIMB_NOTICE = 0.1, 0.5, 5
local CLIMB_PERIOD, STEP_CALLS = 10, 20
local CLIMB_CALLS = 800 -- between climbs: one that fails costs four 429s, and 0.5 % may be
local LONGEST_HOLD = 60

-- The record.

local r = setmetatable({}, { __index = function() return 0 end })
local before = {} -- as it was loaded
local bad = {} -- send times of the refused calls of the last span, ascending
local window, full, guard = ask.window, ask.full, ask.guard
local now

local function text(x) return string.format("%.17g", x) end

local function load()
	local all = redis.call("HGETALL", RECORD)
	for i = 1, #all, 2 do
		if all[i] ~= "bad" then r[all[i]] = tonumber(all[i + 1]) end
		before[all[i]] = all[i] == "bad" and all[i + 1] or r[all[i]]
	end
	for t in string.gmatch(before.bad or "", "%S+") do bad[#bad + 1] = tonumber(t) end
	return #all > 0
end

local function save()
	local changed, times = {}, {}
	for i, t in ipairs(bad) do times[i] = text(t) end
	local refused = table.concat(times, " ")
	if refused ~= (before.bad or "") then changed = { "bad", refused } end
	for name, value in pairs(r) do
		if value ~= before[name] then
			changed[#changed + 1] = name
			changed[#changed + 1] = text(value)
		end
	end
	if #changed > 0 then redis.call("HSET", RECORD, unpack(changed)) end
	for _, key in ipairs(KEYS) do redis.call("EXPIRE", key, EXPIRY) end
end

-- set_zero sets all fields with a prefix to zero.
local function set_zero(prefix)
	for name in pairs(r) do
		if string.sub(name, 1, #prefix) == prefix then r[name] = 0 end
	end
end

-- uniform draws evenly from lo to hi. The sequence is the record's own: a
-- store starts math.random anew for each run.
local function uniform(lo, hi)
	r.random = r.random * 16807 % 2147483647
	return lo + (hi - lo) * (r.random / 2147483648)
end

-- What was sent.

local sends -- the list, once it is loaded

local function add_sends(times)
	if #times == 0 then return end
	redis.call("RPUSH", SENDS, unpack(times))
	redis.call("LTRIM", SENDS, -MOST_SENDS, -1)
	sends = nil
end

-- search returns how many remembered calls, from the oldest, come before the
-- first for which f holds.
local function search(f)
	sends = sends or redis.call("LRANGE", SENDS, 0, -1)
	local i, j = 0, #sends
	while i < j do
		local h = floor((i + j) / 2)
		if f(tonumber(sends[h + 1])) then j = h else i = h + 1 end
	end
	return i
end

-- sent_between counts the calls sent at a or later and not after b.
local function sent_between(a, b)
	return search(function(t) return t > b end) - search(function(t) return t >= a end)
end

-- sent_before counts the calls sent at a or later and before b.
local function sent_before(a, b)
	return search(function(t) return t >= b end) - search(function(t) return t >= a end)
end

-- forget_future takes back the sends of slots that are void.
local function forget_future()
	local n = search(function(t) return t > now end)
	if n < #sends then
		if n == 0 then redis.call("DEL", SENDS) else redis.call("LTRIM", SENDS, 0, n - 1) end
		sends = nil
	end
end

-- What was accepted.

local arrived = {} -- units by bucket, not yet written

local function add_accepted(t, cost)
	local n = floor(t / BUCKET)
	if n > r.accept_last then
		if n - r.accept_last >= BUCKETS then
			redis.call("DEL", ACCEPTS)
		else
			for old = r.accept_last - BUCKETS + 1, n - BUCKETS do redis.call("HDEL", ACCEPTS, text(old)) end
		end
		r.accept_last = n
	end
	if n > r.accept_last - BUCKETS then arrived[n] = (arrived[n] or 0) + cost end
end

local function write_accepted()
	for n, units in pairs(arrived) do redis.call("HINCRBY", ACCEPTS, text(n), text(units)) end
	arrived = {}
end

-- accepted_between sums up what arrived from t1 to t2. Buckets at the edges
-- count by the part that lies inside.
local function accepted_between(t1, t2)
	write_accepted()
	local units, sum = {}, 0
	local all = redis.call("HGETALL", ACCEPTS)
	for i = 1, #all, 2 do units[tonumber(all[i])] = tonumber(all[i + 1]) end
	for n = max(floor(t1 / BUCKET), r.accept_last - BUCKETS + 1, 0), min(floor(t2 / BUCKET), r.accept_last) do
		local start = n * BUCKET
		local inside = min(t2, start + BUCKET) - max(t1, start)
		sum = sum + (units[n] or 0) * inside / BUCKET
	end
	return sum
end

-- The rate.

local function rate() return r.scale * guard * full end

local function spacing() return max(r.mean, 1) / rate() end

local function gain() return min(0.05, TRICKLE_GAIN * spacing()) end

-- span is how far back refused calls are remembered.
local function span() return max(1, 8 * spacing()) end

local function price(cost)
	if r.mean == 0 then r.mean = cost end
	r.mean = r.mean + MEAN_WEIGHT * (cost - r.mean)
end

-- raise sets a scale that is not lower than before.
local function raise(scale)
	r.scale = min(1, scale)
	if r.scale == 1 then set_zero("climb") end
end

-- The climb: is the quota higher than what is believed?

-- period is the time between climbs, longer where calls are few.
local function period()
	local least = CLIMB_PERIOD
	while least < CLIMB_CALLS * spacing() do least = least * 2 end
	return least
end

-- plan_climb sets when the next climb begins: on the wall clock's grid.
local function plan_climb()
	local soon = now + CLIMB_NOTICE
	if r.scale == 1 or r.climb == 1 or r.climb_planned == 1 and r.climb_at >= soon then return end
	local grid = period()
	r.climb_planned = 1
	r.climb_at = ceil((r.wall + soon) / grid) * grid - r.wall
end

local function climb_step(step)
	r.climb_before, r.climb_step, r.climb_step_at = r.scale, step, now
	raise(r.scale * (1 + step))
end

-- climb_on begins a climb that is due, or takes the next step of one that held.
local function climb_on()
	if r.climb == 1 and now >= r.climb_step_at + max(window + 0.5, STEP_CALLS * spacing()) then
		climb_step(min(LAST_STEP, 2 * r.climb_step))
	elseif r.climb == 0 and r.climb_planned == 1 and now >= r.climb_at then
		r.climb, r.climb_planned = 1, 0
		climb_step(CLIMB_STEP)
	end
end

local function end_climb() r.climb, r.climb_planned = 0, 0 end

-- climb_failed takes the present step back. That answers all refusals of calls
-- which went at its rate, too.
local function climb_failed()
	r.scale = min(r.scale, r.climb_before)
	end_climb()
	r.climb_failed_at = now
	plan_climb()
end

-- The boundary: when do windows begin anew? A vault that is no window has none.

local function round(x) return x >= 0 and floor(x + 0.5) or ceil(x - 0.5) end

-- boundary_after returns the first predicted boundary after t.
local function boundary_after(t) return r.boundary_at + ceil((t - r.boundary_at) / window) * window end

-- boundary_end returns the predicted boundary that a pause waits for which
-- began at start. No window is used up just after its beginning: then the
-- boundary that seems to be past is still to come.
local function boundary_end(start)
	local next = boundary_after(start + 0.02)
	local last = next - window
	return last >= start - r.boundary_err - STALE and last or next
end

-- boundary_near returns the predicted boundary that is nearest to t.
local function boundary_near(t) return r.boundary_at + round((t - r.boundary_at) / window) * window end

-- propose compares a candidate with the one before. Two that agree make a
-- known boundary; one that disagrees starts over.
local function propose(at, err)
	if r.boundary_candidate == 1 and abs(at - boundary_near(at)) < err + r.boundary_err + 0.1 then
		r.boundary_known = 1
		if r.boundary_err < err then return end
	end
	r.boundary_candidate, r.boundary_at, r.boundary_err = 1, at, max(LEAST_ERR, err)
end

-- narrow keeps the part of the interval that a pause allows.
local function narrow(at, lo, hi)
	local l, h = max(lo, at - r.boundary_err), min(hi, at + r.boundary_err)
	if l > h then l, h = lo, hi end -- it moved a little: go with it
	r.boundary_at, r.boundary_err = (l + h) / 2, max(LEAST_ERR, (h - l) / 2)
end

-- learn takes in a pause that ended between lo and hi. It reports whether a
-- boundary that was known was met.
local function learn(start, lo, hi)
	local mid, err = (lo + hi) / 2, (hi - lo) / 2
	if r.boundary_known == 1 then
		local at = boundary_end(start)
		if hi >= at - r.boundary_err - EARLY and hi <= at + r.boundary_err + STALE then
			narrow(at, lo, hi)
			return true
		end
		set_zero("boundary")
	end
	if mid - start > 0.12 * window then propose(mid, err) end
	return false
end

-- The pause: the quota is used up, and single calls find its return.

local function aim_at_end()
	r.pause_next = r.pause_end - ONE_WAY
	if r.pause_err <= 0.04 then r.pause_next = r.pause_next + (r.pause_err + 0.01) end
end

-- aim plans probes around the next boundary.
local function aim()
	r.pause_aimed, r.pause_err = 1, r.boundary_err
	r.pause_end = boundary_end(r.pause_start)
	if r.pause_end - now > 1.5 and uniform(0, 1) < 0.1 then
		r.pause_early = 1
		r.pause_next = now + uniform(0.25, 0.75)
	else
		aim_at_end()
	end
end

local function stop(first, overload)
	set_zero("pause")
	r.pause, r.pause_start, r.pause_refused = 1, first + ONE_WAY, bad[#bad] + ONE_WAY
	r.pause_overload = overload
	if r.climb == 1 or r.climb_failed_at > 0 and now - r.climb_failed_at <= span() then r.pause_climbing = 1 end
	r.since, bad = now, {}
	r.pause_gap = FIRST_GAP
	r.pause_next = now + r.pause_gap * uniform(0.5, 1.5)
	if r.boundary_known == 1 then aim() end
	r.pause_next = max(r.pause_next, now + 0.001)
end

-- probe_refused plans the next probe after one that was throttled.
local function probe_refused(sent)
	r.pause_out = 0
	local past = sent + ONE_WAY - r.pause_end - r.pause_err
	if r.pause_aimed == 1 and r.pause_early == 1 then
		r.pause_early = 0
		aim_at_end()
	elseif r.pause_aimed == 1 and past < 0 then
		r.pause_next = r.pause_end + r.pause_err + 0.01 - ONE_WAY
	elseif r.pause_aimed == 1 and past < STALE then
		r.pause_next = now + uniform(0.1, 0.2)
	else
		if r.pause_aimed == 1 then
			r.pause_aimed = 0
			set_zero("boundary")
		end
		r.pause_gap = min(2 * r.pause_gap, WIDEST_GAP)
		r.pause_next = now + r.pause_gap * uniform(0.9, 1.1)
	end
end

-- probe_lost plans the next probe after one that has no answer: it failed, or
-- whoever had it vanished.
local function probe_lost()
	r.pause_out = 0
	r.pause_next = now + r.pause_gap * uniform(0.9, 1.1)
end

-- cut lowers the scale by what a pause tells.
local function cut(length, confirmed)
	local f = min(1 - min(length, 0.85 * window) / window, 1 - r.pause_overload)
	if r.birth > r.pause_start - (window - length) then
		f = 1 -- nobody saw the window that was used up
	elseif confirmed then
		local at = boundary_near(r.pause_start + length)
		f = accepted_between(at - window, r.pause_start + 0.3) * 0.998 / (window * rate())
		f = min(1, max(0.15, f))
	end
	local scale = r.scale * f
	if r.pause_climbing == 1 then
		if r.climb == 1 then end_climb() end
		if length < 2.5 and scale < 0.98 * r.climb_before then scale = min(r.scale, 0.99 * r.climb_before) end
	end
	r.scale = max(LEAST_SCALE, scale)
end

-- resume ends the pause after the success of a call sent in it. The time lost
-- since the quota came back is credited to the next grants, as far as no window
-- then has more than the whole quota.
local function resume(sent)
	local hi = sent + ONE_WAY
	local lo = r.pause_refused
	if r.held > r.pause_start then lo = max(lo, r.held - 1) end -- a vault rounds up to whole seconds
	lo = min(lo, hi)
	local mid = (lo + hi) / 2
	local length = max(0, mid - r.pause_start)
	cut(length, learn(r.pause_start, lo, hi))
	r.pause, r.since = 0, now
	r.boost, r.boost_at = 1, now
	r.credit = length > 0.3 and max(0, min(0.6, now - max(lo, mid), window / (r.scale * guard) - window - SLACK)) or 0
	plan_climb()
end

-- Results.

-- tick does what is due without a result.
local function tick()
	if r.pause == 1 then
		if r.pause_out == 1 and now >= r.pause_sent_at + PATIENCE then probe_lost() end
		return
	end
	if r.scale == 1 then return end
	if now >= r.boost_at + max(window + 2, 1 / TRICKLE_GOAL * spacing()) then
		r.boost, r.boost_at = min(MOST_BOOST, 2 * r.boost), now
	end
	climb_on()
end

-- overload estimates which part of the calls was throttled all along before a
-- run. A small sample means nothing.
local function overload(first)
	local part = #bad / max(1, sent_between(now - span(), now))
	if first == bad[1] and part >= 0.25 and part <= 0.9 then return min(0.6, part) end
	local pre, pre_bad = sent_before(first - span(), first), 0
	for _, t in ipairs(bad) do
		if t < first then pre_bad = pre_bad + 1 end
	end
	if pre + #bad < 8 or pre_bad < 2 then return 0 end
	return min(0.6, (pre_bad + min(#bad - pre_bad, 2)) / (pre + 2))
end

-- run returns the send time of the first refused call of a run, judged against
-- the calls sent; nil if the quota is not used up.
local function run()
	local n = #bad
	local function mostly(i) return n - i + 1 >= 0.75 * sent_between(bad[i], bad[n]) end
	local i = n - RUN_LENGTH + 1
	if i >= 1 and mostly(i) then
		while i > 1 and mostly(i - 1) do i = i - 1 end
		return bad[i]
	end
	if n >= 5 and n > 0.25 * sent_between(now - span(), now) then return bad[1] end
end

-- add_bad remembers a refused call by the time it was sent.
local function add_bad(sent)
	local i = 1
	while i <= #bad and bad[i] < sent do i = i + 1 end
	table.insert(bad, i, sent)
	local old = now - span()
	while #bad > 0 and bad[1] < old do table.remove(bad, 1) end
end

local function accepted(sent, cost)
	add_accepted(sent + ONE_WAY, cost)
	price(cost)
	if r.pause == 1 then
		if sent > r.since then resume(sent) end
	elseif sent >= r.since and r.scale < 1 then
		raise(r.scale * (1 + gain() * TRICKLE_GOAL * r.boost))
	end
end

local function throttled(sent, cost)
	price(cost)
	if r.pause == 1 then
		r.pause_refused = max(r.pause_refused, sent + ONE_WAY)
		if sent > r.since then probe_refused(sent) end
		return
	end
	if sent < r.since then return end
	add_bad(sent)
	local first = run()
	if first then
		stop(first, overload(first))
		return
	end
	if sent <= r.climb_failed_at then return end -- a call of a step that was taken back
	r.scale = r.scale * (1 - gain()) -- an isolated 429
	r.boost, r.boost_at = 1, now
	if r.climb == 1 then climb_failed() else plan_climb() end
end

local function failed(sent)
	if r.pause == 1 and sent > r.since then probe_lost() end
end

-- Epochs.

-- bump makes all slots void that are out, and tells everybody.
local function bump()
	r.epoch, r.next_free = r.epoch + 1, now - r.credit
	r.catch_up_until = r.credit > 0 and now + CATCH_UP or 0
	r.credit = 0
	forget_future()
	redis.call("PUBLISH", RECORD, text(r.epoch))
end

-- judge takes in the ends of calls. Those sent under slots that were void
-- already count as sent before they became so.
local function judge()
	local paused, climb_failed_at = r.pause, r.climb_failed_at
	for _, d in ipairs(ask.done) do
		local outcome, cost, sent, epoch, after = d[1], d[2], now - d[3], d[4], d[5]
		if epoch < r.epoch then sent = min(sent, max(r.since, r.climb_failed_at) - 1e-6) end
		tick()
		if after > 0 then r.held = max(r.held, now + min(LONGEST_HOLD, after)) end
		if outcome == 1 then accepted(sent, cost) elseif outcome == 2 then throttled(sent, cost) else failed(sent) end
	end
	if paused ~= r.pause or r.climb_failed_at > climb_failed_at then bump() end
end

-- Grants.

-- share is the part of the fleet's rate that may be granted. While requesters
-- come back that lost the store, the others still send by themselves.
local function share(active)
	if now >= r.gather_until then return 1 end
	return min(1, active / max(1, r.gather_count))
end

-- count notes the requester, and returns how many there are. It removes first: a
-- store whose memory is full then lets the script add, too, and the record is small.
local function count()
	redis.call("ZREMRANGEBYSCORE", SEEN, "-inf", text(now - ACTIVE))
	if ask.op == "ask" then redis.call("ZADD", SEEN, text(now), ask.who) end
	if ask.op == "leave" then redis.call("ZREM", SEEN, ask.who) end
	return redis.call("ZCARD", SEEN)
end

local function refuse(again) return { again = max(0.02, min(1, again)) } end

-- probe grants one call, and no other before its end is known.
local function probe()
	if r.pause_out == 1 then return refuse(0.02) end
	if now < r.pause_next then return refuse(r.pause_next - now) end
	add_sends({ text(now) })
	r.pause_out, r.pause_sent_at = 1, now
	return { units = ask.want[1], rate = rate(), probe = 1 }
end

-- stretch grants the next part of the sequence: an equal part of a batch for
-- everybody, at least one call.
local function stretch(active)
	local speed = rate() * share(active)
	local room = speed * BATCH / active
	local start = r.next_free
	if now >= r.catch_up_until then start = max(now - LATE, start) end
	local t, units, times = start, 0, {}
	for i, cost in ipairs(ask.want) do
		if i > 1 and units + cost > room then break end
		times[i] = text(max(t, now)) -- a slot whose time has passed is used at once
		t, units = t + cost / speed, units + cost
	end
	add_sends(times)
	r.next_free = t
	return { after = start - now, units = units, rate = speed }
end

local function grant(active)
	tick()
	local wait = max(r.silent_until, r.held) - now
	if wait > 0 then return refuse(wait) end
	if r.pause == 1 then return probe() end
	if r.next_free > now + LEAD then return refuse(1) end
	return stretch(active)
end

-- Records that are lost and found.

-- begin forgets what is of another time.
local function begin()
	set_zero("pause")
	r.birth, r.since, r.boost_at, bad = now, now, now, {}
end

-- create makes a record. One who knew another tells what was believed.
-- Otherwise nobody may send for a while: those who know may be on their way.
local function create(sec, usec)
	for _, key in ipairs(KEYS) do redis.call("DEL", key) end
	r.born, r.wall, now = sec * 1e6 + usec, sec, usec * 1e-6
	r.epoch = r.born
	redis.call("PUBLISH", RECORD, text(r.epoch))
	r.random = 1 + ask.seed % 2147483646
	r.scale, r.boost, r.full, r.full_at = 1, 1, full, now
	if ask.record == 0 then r.silent_until = now + GATHER end
	begin()
end

-- recall takes in what a requester knows of a record that was lost, or that
-- is older now than it was.
local function recall()
	if ask.scale > 0 and (ask.epoch > r.epoch or now < 2 * GATHER) then
		r.scale = max(LEAST_SCALE, min(r.scale, ask.scale))
		r.boost, r.boost_at, r.silent_until = 1, now, 0
		plan_climb()
	end
	if ask.epoch >= r.epoch then
		r.epoch = ask.epoch
		bump()
	end
end

-- gather begins when the first of those comes back that sent by themselves.
local function gather()
	if now >= r.gather_until then
		r.gather_count = 0
		bump()
	end
	r.gather_count, r.gather_until = max(r.gather_count, ask.frozen), now + GATHER
end

-- agree lets the least quota count of those who ask. Replicas learn of another one
-- at different times, and more than the less of the two is nobody's meanwhile.
local function agree()
	if full > r.full and now - r.full_at <= ACTIVE then
		full = r.full
		return
	end
	if full ~= r.full and r.scale < 1 then r.scale = max(LEAST_SCALE, min(1, r.scale * r.full / full)) end
	r.full, r.full_at = full, now
end

-- open loads the record, or makes one, and sets the time, which never goes
-- back: another store may have another clock.
local function open()
	local found, clock = load(), redis.call("TIME")
	local sec, usec = tonumber(clock[1]), tonumber(clock[2])
	if not found then
		create(sec, usec)
	else
		now = (sec - r.wall) + usec * 1e-6
		if now < r.last then r.wall, now = r.wall - (r.last - now), r.last end
		if now - r.last > window then begin() end
	end
	r.last = now
	if ask.record ~= 0 and ask.record ~= r.born or ask.epoch > r.epoch then recall() end
	if ask.frozen > 0 then gather() end
	agree()
end

open()
judge()
local active = count()
local given = ask.op == "ask" and grant(active) or {}
write_accepted()
save()

local answer = { text(r.born), text(r.epoch), text(active), text(r.scale), text(now), text(r.full) }
for _, name in ipairs({ "after", "units", "rate", "probe", "again" }) do
	answer[#answer + 1] = text(given[name] or 0)
end
return answer
