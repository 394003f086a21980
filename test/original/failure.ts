/** One way in which the original system failed, and what shows that this one cannot. */
export interface Failure {
  /** As the failures are counted, from 1. */
  readonly number: number;
  /** What broke or could break. */
  readonly broke: string;
  /** Why it cannot any more. */
  readonly cure: string;
  /** Titles of tests (`describe > it`) by the file they stand in. */
  readonly shownBy: Readonly<Record<string, readonly string[]>>;
  /** What of it waits for a part that does not exist yet, and why that is no gap until then. */
  readonly later?: string;
  /** What of it went together with a part that does not exist any more. */
  readonly gone?: string;
}
