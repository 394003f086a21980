-- As each user by turns. Arguments: path, number of users, then "name: value" for each further header.
local requests = {}
local next = 0

function init(args)
  local headers = {}
  for index = 3, #args do
    local name, value = args[index]:match("^([^:]+): (.*)$")
    headers[name] = value
  end
  for user = 0, tonumber(args[2]) - 1 do
    headers["x-oa-user-id"] = "user-" .. user
    requests[user] = wrk.format("GET", args[1], headers)
  end
  next = 0
end

function request()
  local text = requests[next]
  next = (next + 1) % (#requests + 1)
  return text
end

function done(summary)
  local failed = summary.errors
  local errors = failed.connect + failed.read + failed.write + failed.status + failed.timeout
  io.write(string.format('RESULT {"requests":%d,"micros":%d,"errors":%d}\n', summary.requests, summary.duration, errors))
end
