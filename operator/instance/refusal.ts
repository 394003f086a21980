import { REASON } from "#crds/index.ts";
import { isForbidden, isInvalid, KubeError } from "#lib/kube/errors.ts";
import { shorten } from "#lib/shorten.ts";
import type { Blocked } from "./verdict.ts";
import type { Write } from "./write.ts";

/** An admission webhook may say much. */
const WORDS_MAX = 1_000;

/** What a refusal of the apiserver means for an instance; undefined when the error is no refusal and is to be tried again. */
export function refusalOf(error: unknown, { step, type, verb }: Write): Blocked | undefined {
  if (!isForbidden(error) && !isInvalid(error)) return undefined;
  const { message, details } = error as KubeError;
  const words = shorten(message, WORDS_MAX);
  const text = (next: string) => `The apiserver refused to ${verb} the ${type.kind}: ${words}. ${next}`;
  if (isNamespaceTerminating(details)) {
    return { step, reason: REASON.Terminating, message: "The namespace is being deleted." };
  }
  if (message.includes("exceeded quota")) {
    return { step, reason: REASON.QuotaExceeded, message: text("Raise the quota or remove what uses it.") };
  }
  if (isForbidden(error) && /User ".*" cannot /.test(message)) {
    return { step, reason: REASON.ReconcileFailed, message: text("The operator's RBAC rules lack this right.") };
  }
  return {
    step,
    reason: REASON.ChildRefused,
    message: text("Change the instance, its class or the policy that refuses it."),
  };
}

/** Too many requests: says nothing of the instance, and one more to tell of it would not help. */
const BUSY = 429;

/** What an error means that came again and again; undefined where it is no instance's concern. */
export function lastingErrorOf(error: unknown, { step, type, verb }: Write): Blocked | undefined {
  if (!(error instanceof KubeError) || error.status === BUSY) return undefined;
  const words = shorten(error.message, WORDS_MAX);
  const message = `The apiserver fails to ${verb} the ${type.kind}, again and again: ${words}. Look at its log and at the webhooks it asks: \`kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations\`.`;
  return { step, reason: REASON.ReconcileFailed, message };
}

function isNamespaceTerminating(details: unknown): boolean {
  const causes = (details as { causes?: { reason?: string }[] } | undefined)?.causes ?? [];
  return causes.some(({ reason }) => reason === "NamespaceTerminating");
}
