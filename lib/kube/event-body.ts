import { microTime } from "./micro-time.ts";
import type { Event } from "./resource.ts";
import type { KubeObject } from "./types.ts";

/** Limits of the apiserver, in bytes. */
const NOTE_BYTES = 1024;
const SHORT_BYTES = 128;
/** Room for the suffix in a name of at most 253. */
const NAME_CHARS = 230;

/** What happened to an object. */
export interface EventInput {
  type: "Normal" | "Warning";
  /** CamelCase, why it was done; from a closed list. */
  reason: string;
  /** For people; cut at 1,024 bytes. */
  note: string;
  /** CamelCase, what was done. */
  action: string;
}

/** Who says so. */
export interface EventSource {
  /** A qualified name, e.g. `example.com/operator`. */
  component: string;
  /** E.g. the pod's name. */
  instanceName: string;
}

/** A new event of `events.k8s.io/v1` about an object, seen once. Events of cluster-scoped objects live in `default`. */
export function buildEvent(regarding: KubeObject, e: EventInput, source: EventSource, at: number, id: string): Event {
  const { name, namespace, uid, resourceVersion } = regarding.metadata;
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: `${name.slice(0, NAME_CHARS)}.${id}`, namespace: namespace ?? "default" },
    eventTime: microTime(at),
    type: e.type,
    reason: clip(e.reason, SHORT_BYTES),
    action: clip(e.action, SHORT_BYTES),
    note: clip(e.note, NOTE_BYTES),
    reportingController: source.component,
    reportingInstance: clip(source.instanceName, SHORT_BYTES),
    regarding: {
      apiVersion: regarding.apiVersion,
      kind: regarding.kind,
      name,
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
    },
  };
}

/** Cuts a text at a number of UTF-8 bytes, never inside a character, and marks the cut. */
export function clip(text: string, bytes: number): string {
  const whole = Buffer.from(text);
  if (whole.length <= bytes) return text;
  const mark = "…";
  let end = bytes - Buffer.byteLength(mark);
  // Bytes 10xxxxxx continue a character.
  while (end > 0 && ((whole[end] ?? 0) & 0xc0) === 0x80) end--;
  return whole.toString("utf8", 0, end) + mark;
}
