import { dispatchGatewayMethod } from "openclaw/plugin-sdk/gateway-method-runtime";
import { readPairingCodes } from "./pairing-codes.js";
import { serveRpc } from "./rpc.js";
import { watchVolume } from "./volume.js";

const LOOK_EVERY_MS = 10_000;

const STATE = process.env.OPENCLAW_STATE_DIR ?? "/data/state";
const volume = watchVolume(STATE, { onRoom: endProcess });

/** OpenClaw goes on failing after space is back, until it starts anew; whoever runs the container starts it. */
function endProcess() {
  console.error("hatchery: the volume was full and has room again; the gateway ends, to be started anew");
  process.kill(process.pid, "SIGTERM");
}

/** `hatchery.pairing.codes`, one more gateway method: the codes that `channels.pairing.list` keeps back. */
function answerPairingCodes({ respond }) {
  try {
    respond(true, { codes: readPairingCodes(STATE) });
  } catch (error) {
    respond(false, undefined, { code: "UNAVAILABLE", message: `the pairing codes cannot be read: ${error.message}` });
  }
}

/**
 * `POST /hatchery/rpc {"method", "params"?}` with the gateway token: any gateway method, as an operator. The gateway has
 * checked the token before a request gets here, and the WebSocket door would want a paired device for the same methods.
 * `GET /hatchery/health`, with the token too: whether the volume has room, which no probe of OpenClaw tells.
 */
export default {
  id: "hatchery-bridge",
  name: "Hatchery bridge",
  register(api) {
    api.registerHttpRoute({
      path: "/hatchery/rpc",
      auth: "gateway",
      match: "exact",
      gatewayRuntimeScopeSurface: "trusted-operator",
      handler: async (request, response) => {
        await serveRpc(request, response, dispatchGatewayMethod);
        return true;
      },
    });
    api.registerHttpRoute({
      path: "/hatchery/health",
      auth: "gateway",
      match: "exact",
      handler: async (_request, response) => {
        response.setHeader("content-type", "application/json; charset=utf-8");
        response.setHeader("cache-control", "no-store");
        response.end(JSON.stringify({ ok: true, volume: await volume.look() }));
        return true;
      },
    });
    api.registerGatewayMethod("hatchery.pairing.codes", answerPairingCodes, { scope: "operator.admin" });
    let timer;
    api.registerService({
      id: "hatchery-volume",
      start() {
        timer = setInterval(() => void volume.look().catch(() => undefined), LOOK_EVERY_MS);
        timer.unref();
      },
      stop() {
        clearInterval(timer);
      },
    });
  },
};
