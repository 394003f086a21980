/**
 * What becomes of the events of one watch on their way: each line (with its line break) is given to `pass`, when and as often
 * as it is to arrive.
 */
export type WatchShape = (pass: (line: Buffer) => void) => {
  line(line: Buffer): void;
  /** The watch ended: nothing can be passed any more. */
  end(): void;
};

/** Each event arrives twice. */
export const duplicated: WatchShape = (pass) => ({
  line(line) {
    pass(line);
    pass(line);
  },
  end: () => undefined,
});

/** Events arrive late, in their order, each by another time up to `maxMs`. */
export function delayed(maxMs: number, random: () => number): WatchShape {
  return collected(maxMs, random, (lines) => lines);
}

/** Events that come within `windowMs` arrive late and in any order. */
export function reordered(windowMs: number, random: () => number): WatchShape {
  return collected(windowMs, random, (lines) =>
    lines
      .map((line) => ({ line, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ line }) => line),
  );
}

/** Every event is lost by this chance, and the watch goes on as if nothing were. */
export function dropped(chance: number, random: () => number): WatchShape {
  return (pass) => ({
    line(line) {
      if (random() >= chance) pass(line);
    },
    end: () => undefined,
  });
}

function collected(maxMs: number, random: () => number, arrange: (lines: Buffer[]) => Buffer[]): WatchShape {
  return (pass) => {
    let held: Buffer[] = [];
    let timer: NodeJS.Timeout | undefined;
    return {
      line(line) {
        held.push(line);
        timer ??= setTimeout(() => {
          const lines = held;
          held = [];
          timer = undefined;
          for (const one of arrange(lines)) pass(one);
        }, random() * maxMs);
      },
      end() {
        clearTimeout(timer);
      },
    };
  };
}
