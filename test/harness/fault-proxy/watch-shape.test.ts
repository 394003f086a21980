import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { seededRandom } from "../seeded-random.ts";
import { delayed, dropped, duplicated, reordered, type WatchShape } from "./watch-shape.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const LINES = ["1", "2", "3", "4", "5", "6", "7", "8"];

/** What arrives of these lines at once, and what in the end. */
function send(shape: WatchShape): { atOnce: string[]; inTheEnd: string[] } {
  const arrived: string[] = [];
  const events = shape((line) => arrived.push(line.toString()));
  for (const line of LINES) events.line(Buffer.from(line));
  const atOnce = [...arrived];
  vi.runAllTimers();
  events.end();
  return { atOnce, inTheEnd: arrived };
}

it("duplicated events arrive twice, in order", () => {
  expect(send(duplicated).inTheEnd).toEqual(LINES.flatMap((line) => [line, line]));
});

it("delayed events all arrive, later and in order", () => {
  expect(send(delayed(100, seededRandom(1)))).toEqual({ atOnce: [], inTheEnd: LINES });
});

it("reordered events all arrive, later and in another order", () => {
  const { atOnce, inTheEnd } = send(reordered(100, seededRandom(1)));
  expect(atOnce).toEqual([]);
  expect(inTheEnd).not.toEqual(LINES);
  expect([...inTheEnd].sort()).toEqual(LINES);
});

it("dropped events never arrive, and the others do, in order", () => {
  const { inTheEnd } = send(dropped(0.5, seededRandom(1)));
  expect(inTheEnd.length).toBeGreaterThan(0);
  expect(inTheEnd.length).toBeLessThan(LINES.length);
  expect([...inTheEnd].sort()).toEqual(inTheEnd);
});

it("nothing of a watch that ended arrives later", () => {
  const arrived: string[] = [];
  const events = delayed(100, seededRandom(1))((line) => arrived.push(line.toString()));
  events.line(Buffer.from("1"));
  events.end();
  vi.runAllTimers();
  expect(arrived).toEqual([]);
});
