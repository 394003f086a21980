import type { Contender } from "./contender.ts";
import { READ_PATH, TURN_PATH } from "./scenario.ts";

/** No proxy at all: what the upstream, the load and the machine take by themselves. */
export const direct: Contender = {
  name: "direct",
  start: async ({ upstream, users }) => ({
    name: "direct",
    target: { origin: upstream, readPath: READ_PATH, turnPath: TURN_PATH, headers: {}, users },
    usage: async () => undefined,
    stop: async () => undefined,
  }),
};
