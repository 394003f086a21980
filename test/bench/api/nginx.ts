import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startComponent } from "#test/cluster/component.ts";
import { readUsage } from "../kit/process-usage.ts";
import type { Contender } from "./contender.ts";
import { onProxyCore } from "./cores.ts";
import { READ_PATH, TURN_PATH } from "./scenario.ts";
import { waitUntilServed } from "./served.ts";

const PORT = 8082;

/** One worker that streams, keeps its connections and writes an access log; it asks nobody who they are. */
export const nginx: Contender = {
  name: "nginx",
  async start({ upstream, users, dir }) {
    const prefix = join(dir, "nginx");
    await mkdir(prefix, { recursive: true });
    const config = join(prefix, "nginx.conf");
    await writeFile(config, renderConfig(upstream));
    const component = startComponent(
      onProxyCore(["nginx", "-p", prefix, "-e", "error.log", "-c", config]),
      join(prefix, "nginx.log"),
    );
    const origin = `http://127.0.0.1:${PORT}`;
    await waitUntilServed(`${origin}${READ_PATH}`, {}, component.ended);
    const worker = await onlyChild(component.pid);
    return {
      name: "nginx",
      target: { origin, readPath: READ_PATH, turnPath: TURN_PATH, headers: {}, users },
      usage: () => readUsage(worker),
      async stop() {
        // Killed, its master would leave the worker behind.
        process.kill(worker, "SIGKILL");
        await component.kill();
      },
    };
  },
};

function renderConfig(upstream: string): string {
  return `
daemon off;
user root;
worker_processes 1;
worker_rlimit_nofile 20000;
pid nginx.pid;
events { worker_connections 16000; }
http {
  access_log access.log;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 1000000000;
  upstream gateways {
    server ${new URL(upstream).host};
    keepalive 512;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${PORT} backlog=4096;
    location / {
      proxy_pass http://gateways;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_read_timeout 1h;
    }
  }
}
`;
}

async function onlyChild(pid: number): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ");
  if (children.length !== 1) throw new Error(`nginx has ${children.length} workers`);
  return Number(children[0]);
}
