import { expect, it } from "vitest";
import { formatSeconds } from "./progress.ts";
import { CommandError, run } from "./shell.ts";
import { waitFor } from "./wait.ts";

it("gives output, passes input, and says what a failed command said", async () => {
  expect(await run(["cat"], { input: "hello" })).toBe("hello");
  await expect(run(["sh", "-c", "echo why >&2; exit 3"])).rejects.toMatchObject({ code: 3, stderr: "why\n" });
  await expect(run(["sh", "-c", "echo why >&2; exit 3"])).rejects.toThrow(/exit code 3\nwhy/);
  await expect(run(["no-such-program"])).rejects.toBeInstanceOf(CommandError);
  await expect(run(["sh", "-c", "kill -9 $$"])).rejects.toThrow("SIGKILL");
});

it("survives a command that does not read its input", async () => {
  expect(await run(["true"], { input: "x".repeat(1_000_000) })).toBe("");
});

it("tells durations the way people do", () => {
  expect([400, 12_400, 59_700, 425_000].map(formatSeconds)).toEqual(["0.4 s", "12 s", "60 s", "7 min 05 s"]);
});

it("waits through failures, names the last one, and ends at once on a signal", async () => {
  let looks = 0;
  const third = await waitFor("third look", () => {
    looks += 1;
    if (looks === 1) throw new Error("not yet");
    return looks === 3 && "done";
  });
  expect(third).toBe("done");
  const never = () => {
    throw new Error("cause");
  };
  await expect(waitFor("nothing", never, { timeoutMs: 1 })).rejects.toMatchObject({ cause: new Error("cause") });
  const gone = AbortSignal.abort(new Error("its process ended"));
  await expect(waitFor("nothing", never, { signal: gone })).rejects.toThrow("its process ended");
});
