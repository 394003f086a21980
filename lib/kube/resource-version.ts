/**
 * Orders two resourceVersions of one kind: negative when `a` is older, 0 when equal, positive when newer. They are decimal
 * numbers of any length, which Kubernetes (1.35) allows clients to compare. An absent one is the oldest.
 */
export function compareVersions(a: string | undefined, b: string | undefined): number {
  const [left = "", right = ""] = [a, b];
  if (left.length !== right.length) return left.length - right.length;
  return left === right ? 0 : left < right ? -1 : 1;
}
