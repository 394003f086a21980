import * as z from "zod";
import { ApiError } from "../errors.ts";
import type { Call } from "../http/call.ts";
import type { Upstream } from "../instances/upstream.ts";
import type { GatewayProxy } from "../proxy/proxy.ts";
import { plainText } from "./plain-text.ts";
import { callMethod, changeExisting } from "./rpc.ts";

/** A channel as OpenClaw itself writes their ids. */
export const channelSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,63}$/, "expected the id of a channel: a-z, 0-9, _ and -, such as telegram");

/** The code that a sender was told. OpenClaw's are of eight characters and in capitals; what a person types may not be. */
export const pairingCodeSchema = z
  .string()
  .regex(/^[A-Za-z0-9]{4,32}$/, "expected 4 to 32 letters and digits")
  .transform((code) => code.toUpperCase());

/** What may be known of a sender. One bundled channel keeps a token beside these. */
const META = ["username", "firstName", "lastName", "name", "displayName", "tag"] as const;
const metaSchema = z.strictObject(
  Object.fromEntries(META.map((key) => [key, z.string().optional()])) as Record<
    (typeof META)[number],
    z.ZodOptional<z.ZodString>
  >,
);

const time = z.string().describe("ISO 8601");
/** Somebody who wrote to the agent and waits to be let in. */
export const pairingRequestSchema = z.strictObject({
  id: z.string().describe("Who asks, in the channel's own terms."),
  code: z.string().describe("What the sender was told, and may tell you."),
  accountId: z.string().describe("The account of ours that was written to."),
  createdAt: time,
  lastSeenAt: time,
  expiresAt: time.optional(),
  meta: metaSchema.optional().describe("How the sender calls itself."),
});

/** All who wait in a channel. */
export const pairingListSchema = z.strictObject({ channel: channelSchema, requests: z.array(pairingRequestSchema) });

/** What became of telling the sender. */
const notificationSchema = z.enum(["not-requested", "sent", "unsupported", "failed"]);

/** An approval as it is answered. */
export const pairingApprovalSchema = z.strictObject({
  approved: z.literal(true),
  channel: channelSchema,
  code: z.string(),
  notification: notificationSchema.optional().describe("What became of telling the sender."),
});

/** What {@link pairingListSchema} describes. */
export type PairingList = z.output<typeof pairingListSchema>;
/** What {@link pairingApprovalSchema} describes. */
export type PairingApproval = z.output<typeof pairingApprovalSchema>;

// What the gateway says. A sender without name and time can't be told from another, so then there is no list.
const id = z.string().min(1).max(512);
const instant = z.string().refine((text) => !Number.isNaN(Date.parse(text)) && text.length <= 40, "is not a time");
const meta = z
  .record(z.string(), z.unknown())
  .catch({})
  .transform((entries) => {
    const shown = META.map((key) => [key, Object.hasOwn(entries, key) ? plainText(entries[key]) : null] as const);
    return Object.fromEntries(shown.filter(([, text]) => text !== null)) as z.output<typeof metaSchema>;
  });
const requestsPayload = z.object({
  accounts: z.array(z.object({ channel: id, accountId: id })),
  requests: z.array(
    z.object({
      requestId: id,
      channel: id,
      accountId: id,
      senderId: id,
      metadata: meta.optional().transform((shown) => shown ?? {}),
      createdAt: instant,
      lastSeenAt: instant,
      expiresAt: instant.optional().catch(undefined),
    }),
  ),
});
const codesPayload = z.object({
  codes: z.array(z.object({ channel: id, accountId: id, senderId: id, createdAt: instant, code: pairingCodeSchema })),
});

/** The gateway's answers that {@link joinCodes} puts together. */
export interface PairingPayloads {
  readonly requests: unknown;
  readonly codes: unknown;
}

/** One request, with what approving it takes. */
interface KnownRequest {
  readonly requestId: string;
  readonly shown: PairingList["requests"][number];
}

/**
 * The requests in a channel with their codes. One without a code was decided between the two answers.
 * @throws z.ZodError when an answer is none; ApiError 404 when no account of the channel pairs.
 */
export function joinCodes(channel: string, payloads: PairingPayloads): readonly KnownRequest[] {
  return join(channel, requestsPayload.parse(payloads.requests), codesPayload.parse(payloads.codes));
}

/**
 * Who waits in a channel.
 * @throws ApiError 404 when no account of the channel pairs, else like {@link callMethod}.
 */
export async function listPairing(
  proxy: GatewayProxy,
  call: Call,
  upstream: Upstream,
  channel: string,
): Promise<PairingList> {
  const requests = await pendingRequests(proxy, call, upstream, channel);
  return { channel, requests: requests.map(({ shown }) => shown) };
}

/**
 * Lets the sender with this code write to the agent, and tells them if asked to.
 * @throws ApiError 404 when no account of the channel pairs or nobody has this code, else like {@link callMethod}.
 */
export async function approvePairing(
  proxy: GatewayProxy,
  call: Call,
  upstream: Upstream,
  { channel, code, notify }: { channel: string; code: string; notify: boolean },
): Promise<PairingApproval> {
  const find = async () =>
    (await pendingRequests(proxy, call, upstream, channel)).find(({ shown }) => shown.code === code);
  const gone = (cause?: unknown) =>
    new ApiError("pairing_code_not_found", `nobody waits in ${channel} with this code: it was decided, or is too old`, {
      step: "gateway",
      cause,
    });
  const request = await find();
  if (!request) throw gone();
  const { accountId } = request.shown;
  const { notification } = await changeExisting({
    change: () =>
      callMethod(proxy, call, upstream, {
        method: "channels.pairing.approve",
        params: { channel, accountId, requestId: request.requestId, notify },
        payload: z.object({ notification: notificationSchema.optional().catch(undefined) }),
        kind: "change",
      }),
    isThere: async () => (await find()) !== undefined,
    gone,
  });
  return { approved: true, channel, code, ...(notification === undefined ? {} : { notification }) };
}

async function pendingRequests(proxy: GatewayProxy, call: Call, upstream: Upstream, channel: string) {
  const ask = <T>(method: string, payload: z.ZodType<T>) =>
    callMethod(proxy, call, upstream, { method, params: {}, payload, kind: "read" });
  const requests = await ask("channels.pairing.list", requestsPayload);
  // The gateway's list leaves the codes out; our plugin has them.
  return join(channel, requests, await ask("hatchery.pairing.codes", codesPayload));
}

function join(
  channel: string,
  { accounts, requests }: z.output<typeof requestsPayload>,
  { codes }: z.output<typeof codesPayload>,
): readonly KnownRequest[] {
  if (!accounts.some((account) => account.channel === channel)) throw noChannel(channel, accounts);
  const codeBySender = new Map(codes.map((entry) => [senderKey(entry), entry.code]));
  return requests
    .filter((request) => request.channel === channel)
    .flatMap((request) => {
      const code = codeBySender.get(senderKey(request));
      return code === undefined ? [] : [{ requestId: request.requestId, shown: show(request, code) }];
    });
}

function noChannel(channel: string, accounts: readonly { channel: string }[]): ApiError {
  const others = [...new Set(accounts.map((account) => account.channel))].slice(0, 20).join(", ");
  const message = `no account of the channel ${channel} pairs with its senders; channels whose accounts do: ${others || "none"}`;
  return new ApiError("pairing_channel_not_found", message, { step: "gateway" });
}

/** A sender asks once at a time. The list writes accounts as the configuration does, the store in lower case. */
function senderKey(o: { channel: string; accountId: string; senderId: string; createdAt: string }): string {
  return JSON.stringify([o.channel, o.accountId.toLowerCase(), o.senderId, o.createdAt]);
}

function show(request: z.output<typeof requestsPayload>["requests"][number], code: string): KnownRequest["shown"] {
  const { senderId, accountId, createdAt, lastSeenAt, expiresAt, metadata } = request;
  return {
    id: senderId,
    code,
    accountId,
    createdAt,
    lastSeenAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(Object.keys(metadata).length === 0 ? {} : { meta: metadata }),
  };
}
