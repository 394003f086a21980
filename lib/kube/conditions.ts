/** One `metav1.Condition`. */
export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  /** CamelCase, from a closed list of the kind that carries it. */
  reason: string;
  /** For a human: what is the matter and what to do next. */
  message: string;
  /** Generation of the object this was judged from. */
  observedGeneration?: number | undefined;
  /** RFC 3339, second precision; when `status` last flipped. */
  lastTransitionTime: string;
}

/** The condition of this type, if the list has one. */
export function findCondition(list: readonly Condition[] | undefined, type: string): Condition | undefined {
  return list?.find((condition) => condition.type === type);
}

/** True when the list has this condition with status `True`. */
export function isConditionTrue(list: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(list, type)?.status === "True";
}

/**
 * A new list with `next` in place of the condition of its type, or at the end. `lastTransitionTime` becomes `now`
 * (RFC 3339) only when the status differs from the one before, so that an equal condition makes an equal list.
 */
export function setCondition(
  list: readonly Condition[] | undefined,
  next: Omit<Condition, "lastTransitionTime">,
  now: string,
): Condition[] {
  const before = findCondition(list, next.type);
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : now;
  const condition: Condition = { ...next, lastTransitionTime };
  if (!before) return [...(list ?? []), condition];
  return (list ?? []).map((other) => (other === before ? condition : other));
}
