import fc from "fast-check";
import { expect, it } from "vitest";
import { EventBudget } from "./event-budget.ts";

const WINDOW_MS = 5 * 60_000;

it("allows 25 writes in any 5 minutes, says when the next is free, and keeps objects apart", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 150 }), (gaps) => {
      const budget = new EventBudget();
      const written: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        const recent = written.filter((at) => at > now - WINDOW_MS);
        const spent = budget.spend("a", now);
        expect(spent.ok).toBe(recent.length < 25);
        if (spent.ok) written.push(now);
        else expect(spent.freeInMs).toBe((recent[0] ?? 0) + WINDOW_MS - now);
        budget.sweep(now);
      }
      expect(budget.spend("b", now).ok).toBe(true);
    }),
  );
});
