import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { withLock } from "./lock.ts";

it("lets one holder in at a time, and the next one also after a failure", async () => {
  const dir = await mkdtemp(join(tmpdir(), "lock-test-"));
  try {
    const file = join(dir, "below", "lock");
    let inside = 0;
    let most = 0;
    const visit = (fail: boolean) =>
      withLock(file, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise(setImmediate);
        inside -= 1;
        if (fail) throw new Error("expected");
      });
    const results = await Promise.allSettled([visit(false), visit(true), visit(false), visit(true)]);
    expect(results.map((result) => result.status).sort()).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
    expect(most).toBe(1);
  } finally {
    await rm(dir, { recursive: true });
  }
});
