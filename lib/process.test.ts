import { afterEach, describe, expect, it } from "vitest";
import { Child } from "#test/harness/child.ts";
import { VERSION } from "./version.ts";

/** A process whose `main` has this body; it sees signal, env, parseEnv, z and say. */
function spawnMain(body: string, env?: Record<string, string>): Child {
  const module = `
    import * as z from "zod";
    import { parseEnv } from "#lib/env.ts";
    import { runProcess } from "#lib/process.ts";
    await runProcess({ name: "probe", main: async ({ signal, env }) => { ${body} } });`;
  return new Child(module, env);
}

describe("runProcess", () => {
  const children: Child[] = [];
  const run = (body: string, env?: Record<string, string>) => {
    const child = spawnMain(body, env);
    children.push(child);
    return child;
  };

  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  const untilAborted = 'await new Promise((go) => signal.addEventListener("abort", go));';

  it("exits with 0 once main is through, although something is left open", async () => {
    const { code, out } = await run('setInterval(() => {}, 1e6); say("done");').exited;
    expect([code, out]).toEqual([0, "done"]);
  });

  it("exits with the code that main answers", async () => {
    expect(await run('say("found"); return 3;').exited).toMatchObject({ code: 3, out: "found" });
  });

  it.each(["SIGTERM", "SIGINT"] as const)("lets main end in good order on %s", async (signal) => {
    const child = run(`say("up"); ${untilAborted} say("stopping: " + signal.reason.message);`);
    await child.line("up");
    child.kill(signal);
    expect(await child.exited).toMatchObject({ code: 0, out: `up\nstopping: stopped by ${signal}` });
  });

  it("exits at once on a second signal", async () => {
    const child = run(`say("up"); ${untilAborted} say("stuck"); await new Promise(() => {});`);
    await child.line("up");
    child.kill("SIGTERM");
    await child.line("stuck");
    child.kill("SIGTERM");
    expect((await child.exited).code).toBe(143);
  });

  it("waits for a main that nothing but an unreferenced timer would wake", async () => {
    const body = 'await new Promise((go) => setTimeout(go, 50).unref()); say("woken");';
    expect(await run(body).exited).toMatchObject({ code: 0, out: "woken" });
  });

  it("prints every fault of its environment to standard error and exits with 1", async () => {
    const body = 'parseEnv(z.object({ ROOT_KEY: z.string().length(4).describe("4 letters"), URL: z.url() }), env);';
    const { code, out, err } = await run(body, { ROOT_KEY: "s3cret" }).exited;
    expect(code).toBe(1);
    expect(out).toBe("");
    expect(err).toContain("probe: the environment is not usable:");
    expect(err).toMatch(/ROOT_KEY: .*\(expects 4 letters\)/);
    expect(err).toContain("URL: is not set");
    expect(err).not.toContain("s3cret");
  });

  it.each([
    ["main throws", 'throw new Error("boom");', "the process failed"],
    [
      "nobody handles a rejection",
      `void Promise.reject(new Error("boom")); ${untilAborted}`,
      "rejection nobody handled",
    ],
    [
      "nobody catches an exception",
      `setImmediate(() => { throw new Error("boom"); }); ${untilAborted}`,
      "nobody caught",
    ],
  ])("logs a fatal error and exits with 1 when %s", async (_, body, message) => {
    const { code, out } = await run(body).exited;
    expect(code).toBe(1);
    const line = JSON.parse(out) as { level: string; msg: string; err: { message: string; stack: string } };
    expect(line.level).toBe("fatal");
    expect(line.msg).toContain(message);
    expect(line.err.message).toBe("boom");
    expect(line.err.stack).toContain("Error: boom");
  });
});

it("knows its version from package.json", () => {
  expect(VERSION).toMatch(/^\d+\.\d+\.\d+/);
});
