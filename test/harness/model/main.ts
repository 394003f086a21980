import * as z from "zod";
import { envPort, parseEnv } from "#lib/env.ts";
import { createLogger, LOG_LEVELS } from "#lib/log.ts";
import { runProcess } from "#lib/process.ts";
import { startModelSimulator } from "./simulator.ts";

const environment = z.object({
  PORT: envPort.default(8080),
  API_KEY: z.string().optional().describe("the key that clients must present; any is taken when unset"),
  LOG_LEVEL: z.enum(LOG_LEVELS).default("info"),
});

await runProcess({
  name: "model-simulator",
  async main({ signal, env }) {
    const config = parseEnv(environment, env);
    const log = createLogger("model-simulator", config.LOG_LEVEL);
    const simulator = await startModelSimulator({ port: config.PORT, host: "0.0.0.0", apiKey: config.API_KEY });
    log.info({ port: simulator.port, needsKey: config.API_KEY !== undefined }, "listening");
    await new Promise((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener("abort", resolve, { once: true });
    });
    await simulator.close();
  },
});
