import { type CONDITION, REASON, type Reason, type Step } from "#crds/index.ts";

/** The conditions that are judged on their own; `Ready` follows from them. */
export type JudgedCondition = Exclude<keyof typeof CONDITION, "Ready">;

/** A judgement of one condition. */
export interface Verdict {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: Reason;
  readonly message: string;
  /** Set when this is a fault and not a step on the way: the link of the chain that fails. */
  readonly failedStep?: Step;
  /** When a step on the way becomes a fault by its length (epoch milliseconds). */
  readonly failsAt?: number;
}

/** A judgement of every condition. */
export type Judgement = Readonly<Record<JudgedCondition, Verdict>>;

/** Something keeps a child from being as wanted. */
export interface Blocked {
  readonly step: Step;
  readonly reason: Reason;
  readonly message: string;
  /** The child stays as it was, and nothing else waits for it. */
  readonly keepsNothing?: true;
}

/** As wanted. */
export function holds(message: string, reason: Reason = REASON.AsExpected): Verdict {
  return { status: "True", reason, message };
}

/** Not as wanted, and nothing to worry about yet. */
export function waits(reason: Reason, message: string, failsAt?: number): Verdict {
  return { status: "False", reason, message, ...(failsAt === undefined ? {} : { failsAt }) };
}

/** Cannot be judged before something else holds. */
export function unknown(message: string, reason: Reason = REASON.Pending): Verdict {
  return { status: "Unknown", reason, message };
}

/** Not as wanted, and it will not become so by waiting. */
export function fails(failedStep: Step, reason: Reason, message: string): Verdict {
  return { status: "False", reason, message, failedStep };
}
