/** Calls at a time. */
const CONCURRENCY = 32;

/** Something to be done over the network, until its signal aborts. */
export interface QueuedCall {
  readonly abort: AbortController;
}

/**
 * A queue of calls that are made in the order in which they are put in, a few at a time; one that was aborted meanwhile is
 * left out.
 * @param attempt makes one call; must not reject.
 */
export function createCallQueue<T extends QueuedCall>(attempt: (call: T) => Promise<void>): (call: T) => void {
  const waiting: T[] = [];
  let active = 0;

  function pump(): void {
    while (active < CONCURRENCY) {
      const call = waiting.shift();
      if (!call) return;
      if (call.abort.signal.aborted) continue;
      active++;
      // Settles by itself; what it finds goes to the call's owner.
      void attempt(call).finally(() => {
        active--;
        pump();
      });
    }
  }

  return (call) => {
    waiting.push(call);
    pump();
  };
}
