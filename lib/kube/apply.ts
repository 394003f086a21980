import { hash as hashOf } from "node:crypto";
import { canonicalJson } from "./canonical-json.ts";
import type { KubeClient } from "./client.ts";
import { findDrift } from "./drift.ts";
import type { KubeObject, ResourceType } from "./types.ts";

export interface ApplyIfChangedOptions {
  fieldManager: string;
  /** Annotation that holds the hash of the applied body. */
  hashAnnotation: string;
  /** Annotation that says which version of us applied it; a change of it alone is no reason to write. */
  versionAnnotation: string;
  version: string;
  signal?: AbortSignal | undefined;
}

/** What an apply came to. */
export interface Applied<T> {
  /** As it is now. */
  object: T;
  /** A request was made for it. */
  written: boolean;
  /** Somebody had changed what was applied, and it is so again. */
  restored: boolean;
}

/**
 * Objects (by uid, with the resourceVersion) that show drift from what was applied, but that applying again did not change:
 * the server writes the value in its own way. Once known, they are left alone until they change.
 */
const settled = new WeakMap<KubeClient, Map<string, string>>();
/** Far above any number seen; the memory must not grow for ever with objects long deleted. */
const MAX_SETTLED = 10_000;

/** SHA-256 (hex) of the canonical JSON of a body: equal for equal content, whatever the order of keys. */
export function appliedHash(body: object): string {
  return hashOf("sha256", canonicalJson(body), "hex");
}

/**
 * Applies `body` unless `live` (the cached object) shows that there is nothing to do: it carries the hash of this body, and
 * holds each field of it as it was applied. So nothing is written after a restart, and what somebody changed by hand is put
 * back with one write.
 * @throws TypeError for a Secret's `stringData`: the server never shows it again, so it could not be compared. Use `data`.
 * @throws KubeError as of `KubeClient.apply`; a conflict when `live` is gone or another of its name is there.
 */
export async function applyIfChanged<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  body: T,
  live: T | undefined,
  o: ApplyIfChangedOptions,
): Promise<Applied<T>> {
  if ("stringData" in body) throw new TypeError(`${body.kind} ${body.metadata.name}: apply data, not stringData`);
  const hash = appliedHash(body);
  const sameHash = live?.metadata.annotations?.[o.hashAnnotation] === hash;
  if (live && sameHash && isInPlace(client, body, live)) return { object: live, written: false, restored: false };

  const annotations = { ...body.metadata.annotations, [o.hashAnnotation]: hash, [o.versionAnnotation]: o.version };
  const uid = live?.metadata.uid;
  // By its uid, so that one of the same name that took its place meanwhile is a conflict and not overwritten.
  const marked = { ...body, metadata: { ...body.metadata, annotations, ...(uid === undefined ? {} : { uid }) } };
  const object = await client.apply(type, marked, { fieldManager: o.fieldManager, signal: o.signal });
  const unchanged = live?.metadata.resourceVersion === object.metadata.resourceVersion;
  if (live && sameHash && unchanged) settle(client, object);
  return { object, written: true, restored: sameHash && !unchanged };
}

function isInPlace(client: KubeClient, body: KubeObject, live: KubeObject): boolean {
  if (findDrift(body, live) === undefined) return true;
  const { uid = "", resourceVersion } = live.metadata;
  return settled.get(client)?.get(uid) === resourceVersion;
}

function settle(client: KubeClient, { metadata: { uid, resourceVersion } }: KubeObject): void {
  if (!uid || !resourceVersion) return;
  const known = settled.get(client) ?? new Map<string, string>();
  if (known.size >= MAX_SETTLED) known.clear();
  settled.set(client, known.set(uid, resourceVersion));
}
