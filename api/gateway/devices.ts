import { isIP } from "node:net";
import * as z from "zod";
import { ApiError } from "../errors.ts";
import type { Call } from "../http/call.ts";
import type { Upstream } from "../instances/upstream.ts";
import type { GatewayProxy } from "../proxy/proxy.ts";
import { plainText } from "./plain-text.ts";
import { callMethod, changeExisting } from "./rpc.ts";

/** How long the gateway keeps a request that nobody decides. */
const PENDING_TTL_MS = 5 * 60_000;
/** Longest name of a role or scope that is shown. */
const MAX_WORD = 128;

/** The id of a device or of its request: a hash or a UUID, in the gateway's hands and in ours never more than this. */
export const deviceIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,128}$/, "expected 1 to 128 characters of A-Z, a-z, 0-9, _ and -");

const name = z.string().nullable().describe("What the device calls itself; null = nothing.");
const epochMs = z.int().nullable().describe("Milliseconds since the epoch.");

/** What runs on the device. */
const clientSchema = z.strictObject({ platform: name, mode: name, id: z.string().optional() });
const described = {
  deviceId: deviceIdSchema,
  displayName: name,
  client: clientSchema,
  role: z.string().nullable().describe("The first of its roles."),
  roles: z.array(z.string()),
  scopes: z.array(z.string()),
};

/** A device that asks to be let in. */
export const pendingDeviceSchema = z.strictObject({
  requestId: deviceIdSchema,
  ...described,
  remoteIp: z.string().optional(),
  requestedAt: epochMs,
  expiresAt: epochMs.describe("The earliest end of the request; each further try of the device puts it off."),
});

/** A device that is let in. */
export const pairedDeviceSchema = z.strictObject({ ...described, pairedAt: epochMs, lastSeenAt: z.int().optional() });

/** All devices. No token and no key is in it: what is not named here gets no further. */
export const deviceListSchema = z.strictObject({
  pending: z.array(pendingDeviceSchema),
  paired: z.array(pairedDeviceSchema),
});

/** What {@link deviceListSchema} describes. */
export type DeviceList = z.output<typeof deviceListSchema>;

// What the gateway says. Without its id nobody can decide about a device, so then there is no list; all else may be missing.
const word = z
  .unknown()
  .optional()
  .transform((value) => plainText(value, MAX_WORD));
const words = z
  .array(word)
  .catch([])
  .transform((list) => list.filter((item) => item !== null));
const text = z
  .unknown()
  .optional()
  .transform((value) => plainText(value));
const time = z.int().min(0).optional().catch(undefined);
const known = {
  deviceId: deviceIdSchema,
  displayName: text,
  platform: text,
  clientId: word,
  clientMode: word,
  role: word,
  roles: words,
  scopes: words,
};
const pending = z.object({
  ...known,
  requestId: deviceIdSchema,
  remoteIp: z
    .string()
    .refine((address) => isIP(address) > 0)
    .optional()
    .catch(undefined),
  ts: time,
});
const paired = z.object({ ...known, operatorLabel: text, approvedAtMs: time, lastSeenAtMs: time });
const list = z
  .object({ pending: z.array(pending), paired: z.array(paired) })
  .transform(
    (devices): DeviceList => ({ pending: devices.pending.map(asPending), paired: devices.paired.map(asPaired) }),
  );

/**
 * What may be known of the devices in the gateway's answer.
 * @throws z.ZodError when it is no list of devices.
 */
export function normalizeDevices(payload: unknown): DeviceList {
  return list.parse(payload);
}

/** The devices of the tenant's OpenClaw. @throws like {@link callMethod}. */
export async function listDevices(proxy: GatewayProxy, call: Call, upstream: Upstream): Promise<DeviceList> {
  return callMethod(proxy, call, upstream, { method: "device.pair.list", params: {}, payload: list, kind: "read" });
}

/**
 * Decides about a device that asks; answers the device's id.
 * @throws ApiError 404 when nobody asks under this id, else like {@link callMethod}.
 */
export async function decideDevice(
  proxy: GatewayProxy,
  call: Call,
  upstream: Upstream,
  { requestId, decision }: { requestId: string; decision: "approve" | "reject" },
): Promise<{ deviceId?: string }> {
  const deviceId = await changeExisting({
    change: () =>
      callMethod(proxy, call, upstream, {
        method: `device.pair.${decision}`,
        params: { requestId },
        payload: decided,
        kind: "change",
      }),
    isThere: async () =>
      (await listDevices(proxy, call, upstream)).pending.some((device) => device.requestId === requestId),
    gone: (cause) =>
      new ApiError("device_request_not_found", "no device asks under this id: it was decided, or it is too late", {
        step: "gateway",
        cause,
      }),
  });
  return deviceId === undefined ? {} : { deviceId };
}

/**
 * Removes a device, whose open connections end.
 * @throws ApiError 404 when there is none of this id, else like {@link callMethod}.
 */
export async function removeDevice(
  proxy: GatewayProxy,
  call: Call,
  upstream: Upstream,
  deviceId: string,
): Promise<void> {
  await changeExisting({
    change: () =>
      callMethod(proxy, call, upstream, {
        method: "device.pair.remove",
        params: { deviceId },
        payload: z.unknown(),
        kind: "change",
      }),
    isThere: async () =>
      (await listDevices(proxy, call, upstream)).paired.some((device) => device.deviceId === deviceId),
    gone: (cause) => new ApiError("device_not_found", "no paired device has this id", { step: "gateway", cause }),
  });
}

/** An approval names the device in a record of its own, a rejection beside the request. */
const decided = z
  .object({ deviceId: deviceIdSchema, device: z.object({ deviceId: deviceIdSchema }) })
  .partial()
  .catch({})
  .transform(({ deviceId, device }) => device?.deviceId ?? deviceId);

function asPending({ requestId, remoteIp, ts, ...device }: z.output<typeof pending>): DeviceList["pending"][number] {
  return {
    requestId,
    ...describe(device),
    ...(remoteIp === undefined ? {} : { remoteIp }),
    requestedAt: ts ?? null,
    expiresAt: ts === undefined ? null : ts + PENDING_TTL_MS,
  };
}

/** The name that the owner gave it goes before its own. */
function asPaired(entry: z.output<typeof paired>): DeviceList["paired"][number] {
  const { operatorLabel, approvedAtMs, lastSeenAtMs, ...device } = entry;
  return {
    ...describe({ ...device, displayName: operatorLabel ?? device.displayName }),
    pairedAt: approvedAtMs ?? null,
    ...(lastSeenAtMs === undefined ? {} : { lastSeenAt: lastSeenAtMs }),
  };
}

function describe(device: z.output<z.ZodObject<typeof known>>) {
  const { deviceId, displayName, platform, clientMode: mode, clientId: id, role, scopes } = device;
  const roles = [...new Set([...(role === null ? [] : [role]), ...device.roles])];
  return {
    deviceId,
    displayName,
    client: { platform, mode, ...(id === null ? {} : { id }) },
    role: roles[0] ?? null,
    roles,
    scopes,
  };
}
