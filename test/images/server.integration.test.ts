import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mountImage, type Rootfs, startContainer } from "./container.ts";
import { ensureServerImage } from "./images.ts";

/** Only ends a test that hangs: the images are built when need be. */
const BUILD_LIMIT_MS = 1_200_000;

describe("the server image", () => {
  let rootfs: Rootfs;

  beforeAll(async () => {
    rootfs = await mountImage(await ensureServerImage());
  }, BUILD_LIMIT_MS);

  afterAll(() => rootfs?.remove());

  async function run(argv: string[]): Promise<{ code: number; log: string }> {
    const container = await startContainer({ rootfs, argv, uid: 65_532, env: {}, mounts: {} });
    return { code: await container.exited, log: container.log() };
  }

  it("holds Node and the bundles, and no other program", async () => {
    const programs: string[] = [];
    for (const folder of ["bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin"]) {
      programs.push(...(await readdir(join(rootfs.path, folder)).catch(() => [])));
    }
    expect(programs).toEqual(["node"]);
    const bundles = (await readdir(join(rootfs.path, "app"))).filter((file) => file.endsWith(".mjs"));
    expect(bundles.sort()).toEqual(["api.mjs", "ledger.mjs", "migrate.mjs", "model-gateway.mjs", "operator.mjs"]);
  });

  it.each([
    ["operator", "OPENCLAW_ENCRYPTION_KEY"],
    ["api", "OPENCLAW_ENCRYPTION_KEY"],
    ["model-gateway", "OPENCLAW_ENCRYPTION_KEY"],
    ["migrate", "DATABASE_URL"],
    ["ledger", "ledger verify"],
  ])("runs the %s, which wants to be told %s", async (name, variable) => {
    const { code, log } = await run(["node", `/app/${name}.mjs`]);
    expect(code, log).toBe(1);
    expect(log).toContain(variable);
  });

  it("resolves names, has a bundle of public authorities and is nobody's root", async () => {
    const script = `
      require("node:fs").accessSync("/etc/ssl/certs/ca-certificates.crt");
      require("node:dns").promises.lookup("localhost").then((found) => console.log(found.address, process.getuid()));`;
    const { code, log } = await run(["node", "-e", script]);
    expect({ code, log }).toEqual({ code: 0, log: expect.stringMatching(/^(127\.0\.0\.1|::1) 65532\n$/) });
  });
});
