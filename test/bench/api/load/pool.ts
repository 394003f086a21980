import { type Connection, connect } from "./connection.ts";
import type { Target } from "./jobs.ts";

/** Connections that are used by turns, each for one request at a time; who finds none free waits in line. */
export interface ConnectionPool {
  /** Calls `use` with a free connection, now or later; `use` calls `release` once. */
  borrow(use: (connection: Connection, release: () => void) => void): void;
  close(): Promise<void>;
}

/** A pool of so many connections, each of another user while there are enough; all are open when this resolves. */
export async function openPool(target: Target, count: number): Promise<ConnectionPool> {
  const all = Array.from({ length: count }, (_, index) => connect(target, index));
  await Promise.all(all.map((connection) => warmUp(connection, target)));
  const free = [...all];
  const line: ((connection: Connection) => void)[] = [];
  return {
    borrow(use) {
      const begin = (connection: Connection) =>
        use(connection, () => {
          const next = line.shift();
          if (next) next(connection);
          else free.push(connection);
        });
      const connection = free.shift();
      if (connection) begin(connection);
      else line.push(begin);
    },
    async close() {
      await Promise.all(all.map((connection) => connection.close()));
    },
  };
}

function warmUp(connection: Connection, { readPath, origin }: Target): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.get(readPath, {
      onEnd: (failure) => (failure === undefined ? resolve() : reject(new Error(`${origin}${readPath}: ${failure}`))),
    });
  });
}
