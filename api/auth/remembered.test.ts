import { beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { StoreError } from "../store/store-error.ts";
import { createRemembered, FRESH_MS, PATIENCE_MS, type Remembered, USABLE_MS } from "./remembered.ts";

const anew = { mayBeRemembered: false };
const chat = { mayBeRemembered: true };
const away = async (): Promise<never> => {
  throw new StoreError("away", { reason: "unavailable" });
};

let clock: ManualClock;
let remembered: Remembered<string>;
let loads: number;
const load = (value: string) => async () => {
  loads += 1;
  return value;
};
beforeEach(() => {
  clock = new ManualClock();
  remembered = createRemembered<string>(clock, (value) => value !== "no");
  loads = 0;
});

describe("a remembered answer", () => {
  it("is asked for each time by those who need a new one", async () => {
    expect(await remembered.get("k", anew, load("a"))).toBe("a");
    expect(await remembered.get("k", anew, load("b"))).toBe("b");
    expect(loads).toBe(2);
    await expect(remembered.get("k", anew, away)).rejects.toThrow("away");
  });

  it("does for a chat while it is young, whoever learnt it", async () => {
    await remembered.get("k", anew, load("a"));
    await clock.advance(FRESH_MS);
    expect(await remembered.get("k", chat, load("b"))).toBe("a");
    await clock.advance(1);
    expect(await remembered.get("k", chat, load("b"))).toBe("b");
    expect(await remembered.get("other", chat, load("c"))).toBe("c");
  });

  it("does for a chat for a minute while Postgres is away, and no longer", async () => {
    await remembered.get("k", chat, load("a"));
    await clock.advance(USABLE_MS);
    expect(await remembered.get("k", chat, away)).toBe("a");
    await clock.advance(1);
    await expect(remembered.get("k", chat, away)).rejects.toThrow("away");
  });

  it("does for a chat while Postgres only hangs, and the late answer is what the next one hears", async () => {
    await remembered.get("k", chat, load("a"));
    await clock.advance(FRESH_MS + 1);
    const late = Promise.withResolvers<string>();
    const served = remembered.get("k", chat, () => late.promise);
    await clock.advance(PATIENCE_MS);
    expect(await served).toBe("a");
    late.resolve("b");
    await clock.advance(0);
    expect(await remembered.get("k", chat, load("c"))).toBe("b");
    const first = Promise.withResolvers<string>();
    const unknown = remembered.get("new", chat, () => first.promise);
    await clock.advance(10 * PATIENCE_MS);
    first.resolve("d");
    expect(await unknown).toBe("d");
  });

  it("does not grow younger by being used", async () => {
    await remembered.get("k", chat, load("a"));
    for (let second = 0; second < 60; second += 6) {
      await clock.advance(6_000);
      expect(await remembered.get("k", chat, away)).toBe("a");
    }
    await clock.advance(1_000);
    await expect(remembered.get("k", chat, away)).rejects.toThrow("away");
  });

  it("is no help when the look-up fails of anything else", async () => {
    await remembered.get("k", chat, load("a"));
    await clock.advance(FRESH_MS + 1);
    const broken = async (): Promise<never> => {
      throw new Error("a fault of ours");
    };
    await expect(remembered.get("k", chat, broken)).rejects.toThrow("a fault of ours");
  });

  it("is forgotten by an answer that is not worth it", async () => {
    await remembered.get("k", chat, load("a"));
    expect(await remembered.get("k", anew, load("no"))).toBe("no");
    await expect(remembered.get("k", chat, away)).rejects.toThrow("away");
    expect(await remembered.get("k", chat, load("no"))).toBe("no");
    expect(await remembered.get("k", chat, load("a"))).toBe("a");
  });

  it("that was found untrue while a chat waited is not used after all", async () => {
    await remembered.get("k", chat, load("a"));
    await clock.advance(FRESH_MS + 1);
    const gate = Promise.withResolvers<string>();
    const waiting = remembered.get("k", chat, () => gate.promise);
    await remembered.get("k", anew, load("no"));
    gate.reject(new StoreError("away", { reason: "unavailable" }));
    await expect(waiting).rejects.toThrow("away");
  });

  it("is not replaced by what an older look-up found", async () => {
    const slow = Promise.withResolvers<string>();
    const first = remembered.get("k", anew, () => slow.promise);
    await clock.advance(1);
    await remembered.get("k", anew, load("new"));
    slow.resolve("old");
    expect(await first).toBe("old");
    expect(await remembered.get("k", chat, load("unasked"))).toBe("new");
  });

  it("is looked up once for all chats of a time, but for each who needs a new one", async () => {
    const slow = Promise.withResolvers<string>();
    const loadSlowly = () => {
      loads += 1;
      return slow.promise;
    };
    const chats = Array.from({ length: 5 }, () => remembered.get("k", chat, loadSlowly));
    const others = Array.from({ length: 2 }, () => remembered.get("k", anew, loadSlowly));
    slow.resolve("a");
    expect(await Promise.all([...chats, ...others])).toEqual(Array(7).fill("a"));
    expect(loads).toBe(3);
  });

  it("a failed look-up is not held against the next one", async () => {
    await expect(remembered.get("k", chat, away)).rejects.toThrow("away");
    expect(await remembered.get("k", chat, load("a"))).toBe("a");
  });

  it("goes when there are too many, the least lately learnt first", async () => {
    for (let key = 0; key <= 10_000; key++) await remembered.get(`k${key}`, chat, load("a"));
    await expect(remembered.get("k0", chat, away)).rejects.toThrow("away");
    expect(await remembered.get("k1", chat, away)).toBe("a");
  });
});
