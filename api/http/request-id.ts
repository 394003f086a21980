const SHAPE = /^[A-Za-z0-9._-]{1,64}$/;

/** The caller's request id if it has the agreed shape, else a new one. */
export function requestIdOf(given: string | string[] | undefined, newId: () => string): string {
  return typeof given === "string" && SHAPE.test(given) ? given : newId();
}
