import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Cluster } from "#test/cluster/cluster.ts";

/** Where clouds answer with a machine's credentials. */
const ADDRESS = "169.254.169.254";
const SERVER = `
  const server = require("node:http").createServer((_req, res) => { console.log("asked"); res.end("credentials"); });
  server.listen(80, "${ADDRESS}", () => console.log("listening"));
  process.stdin.on("end", () => process.exit(0)).resume();
`;

/** Something that answers at the metadata address of a node, as in a cloud. */
export interface MetadataService {
  url: string;
  /** How often it was asked. */
  requests(): number;
  stop(): Promise<void>;
}

/** Gives the first node a metadata service. Without one, silence at that address would prove nothing. */
export async function startMetadataService(cluster: Cluster): Promise<MetadataService> {
  await cluster.enter(["ip", "address", "replace", `${ADDRESS}/32`, "dev", "lo"], 1);
  const [file = "", ...args] = await cluster.command([process.execPath, "--eval", SERVER], 1);
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  let requests = 0;
  const lines = createInterface({ input: child.stdout });
  const listening = once(lines, "line");
  lines.on("line", (line) => {
    if (line === "asked") requests++;
  });
  await Promise.race([
    listening,
    ended.then(() => {
      throw new Error("the metadata service ended before it listened");
    }),
  ]);
  return {
    url: `http://${ADDRESS}`,
    requests: () => requests,
    async stop() {
      child.stdin.end();
      await ended;
      await cluster.enter(["ip", "address", "delete", `${ADDRESS}/32`, "dev", "lo"], 1);
    },
  };
}
