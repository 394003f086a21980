import { dispatchGatewayMethod } from "openclaw/plugin-sdk/gateway-method-runtime";
import { serveRpc } from "./rpc.js";

/**
 * `POST /hatchery/rpc {"method", "params"?}` with the gateway token: any gateway method, as an operator. The gateway has
 * checked the token before a request gets here, and the WebSocket door would want a paired device for the same methods.
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
  },
};
