/** What every call takes: a signal to give up on, and its whole time limit in milliseconds (default 30 s, retries included). */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
}

/** Which objects: `namespace` absent = all namespaces; selectors in Kubernetes' text form. */
export interface Selection {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

export interface ListOptions extends CallOptions, Selection {
  resourceVersion?: string | undefined;
  resourceVersionMatch?: "Exact" | "NotOlderThan" | undefined;
  limit?: number | undefined;
  continue?: string | undefined;
}

export interface CreateOptions extends CallOptions {
  fieldManager?: string | undefined;
  /** Also repeat after a broken connection. Then AlreadyExists may mean our own first try. */
  retryUnanswered?: boolean | undefined;
}

export interface ApplyOptions extends CallOptions {
  fieldManager: string;
  /** Take fields over from other managers (default true). */
  force?: boolean | undefined;
}

export interface PatchOptions extends CallOptions {
  subresource?: "status" | undefined;
  fieldManager?: string | undefined;
}

/** One operation of a JSON patch; paths are JSON pointers. */
export type JsonPatchOperation =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "copy"; readonly from: string; readonly path: string }
  | { readonly op: "remove"; readonly path: string };

export interface DeleteOptions extends CallOptions {
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  gracePeriodSeconds?: number | undefined;
  propagationPolicy?: "Background" | "Foreground" | "Orphan" | undefined;
}

export interface WatchOptions extends Selection {
  resourceVersion: string;
  /** After how long the server is to end the watch in good order. */
  timeoutSeconds?: number | undefined;
  /** Longest silence (no event, no bookmark) before the watch is given up as dead; default 150 s. */
  idleMs?: number | undefined;
  signal: AbortSignal;
}
