import fc from "fast-check";
import { expect, it } from "vitest";
import { Heap } from "./heap.ts";

interface Item {
  rank: number;
}

it("gives its items out in order whatever was pushed and removed between", () => {
  const operation = fc.oneof(
    fc.record({ push: fc.integer({ min: -5, max: 5 }) }),
    fc.record({ remove: fc.nat(20) }),
    fc.constant({ pop: true as const }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const heap = new Heap<Item>((a, b) => a.rank < b.rank);
      const inside: Item[] = [];
      const lowest = () => Math.min(...inside.map((item) => item.rank));
      const drop = (item: Item | undefined) => item && inside.splice(inside.indexOf(item), 1);
      for (const step of operations) {
        if ("push" in step) {
          const item = { rank: step.push };
          heap.push(item);
          inside.push(item);
        } else if ("remove" in step) {
          const item = inside[step.remove] ?? { rank: 0 };
          expect(heap.remove(item)).toBe(inside.includes(item));
          if (inside.includes(item)) drop(item);
        } else {
          const expected = inside.length ? lowest() : undefined;
          expect(heap.peek()?.rank).toBe(expected);
          const item = heap.pop();
          expect(item?.rank).toBe(expected);
          drop(item);
        }
        expect(heap.size).toBe(inside.length);
      }
      while (inside.length) {
        expect(heap.peek()?.rank).toBe(lowest());
        drop(heap.pop());
      }
      expect(heap.pop()).toBeUndefined();
    }),
  );
});

it("refuses an item twice", () => {
  const heap = new Heap<Item>((a, b) => a.rank < b.rank);
  const item = { rank: 1 };
  heap.push(item);
  expect(() => heap.push(item)).toThrow("already");
});
