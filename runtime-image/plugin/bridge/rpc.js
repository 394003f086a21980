export const MAX_BODY_BYTES = 20 * 1024 * 1024;

/** HTTP status by the code of a gateway error, as OpenClaw's own admin RPC has it. */
const STATUS = {
  INVALID_REQUEST: 400,
  FORBIDDEN: 403,
  APPROVAL_NOT_FOUND: 404,
  NOT_LINKED: 409,
  NOT_PAIRED: 409,
  UNAVAILABLE: 503,
  AGENT_TIMEOUT: 504,
};

/** A request that does not reach a gateway method. */
class RequestError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export async function serveRpc(request, response, dispatch, limits = {}) {
  try {
    const call = parseCall(await readBody(request, limits.maxBodyBytes ?? MAX_BODY_BYTES));
    const options = call.timeoutMs === undefined ? {} : { timeoutMs: call.timeoutMs };
    send(response, await dispatch(call.method, call.params ?? {}, options));
  } catch (error) {
    sendError(response, error);
  }
}

async function readBody(request, maxBytes) {
  if (request.method !== "POST") throw new RequestError(405, "METHOD_NOT_ALLOWED", "only POST is served here");
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    // What follows is read and dropped: a client that is still sending does not read the answer.
    if (size <= maxBytes) chunks.push(chunk);
  }
  if (size > maxBytes) throw new RequestError(413, "PAYLOAD_TOO_LARGE", `the body is larger than ${maxBytes} bytes`);
  return Buffer.concat(chunks).toString("utf8");
}

function parseCall(text) {
  const call = parseJson(text);
  if (typeof call !== "object" || call === null || Array.isArray(call)) throw invalid("the body is not a JSON object");
  if (typeof call.method !== "string" || call.method === "") throw invalid("method: expected a non-empty string");
  const { params, timeoutMs } = call;
  if (params !== undefined && (typeof params !== "object" || params === null))
    throw invalid("params: expected an object");
  if (timeoutMs !== undefined && !(Number.isInteger(timeoutMs) && timeoutMs > 0)) {
    throw invalid("timeoutMs: expected a positive integer");
  }
  return call;
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`the body is not valid JSON: ${error.message}`);
  }
}

function invalid(message) {
  return new RequestError(400, "INVALID_REQUEST", message);
}

function send(response, result) {
  if (result.ok) return sendJson(response, 200, { ok: true, payload: result.payload });
  const error = result.error ?? { code: "UNAVAILABLE", message: "the gateway method failed without saying why" };
  return sendJson(response, STATUS[error.code] ?? 500, { ok: false, error });
}

function sendError(response, error) {
  if (response.destroyed) return;
  if (error instanceof RequestError) {
    if (error.status === 405) response.setHeader("allow", "POST");
    sendJson(response, error.status, { ok: false, error: { code: error.code, message: error.message } });
    return;
  }
  sendJson(response, 500, { ok: false, error: { code: "INTERNAL", message: String(error?.message ?? error) } });
}

function sendJson(response, status, body) {
  response.statusCode = status;
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.setHeader("cache-control", "no-store");
  response.end(JSON.stringify(body));
}
