import * as z from "zod";
import { parseJson } from "../http/json.ts";
import { CLOSE_CODE, OPCODE } from "./frame-header.ts";
import { encodeFrame } from "./frames.ts";
import { OpeningError } from "./opening-reader.ts";

/** What the gateway itself gives to devices: 32 bytes as base64url. */
const GATEWAY_ISSUED = /^[A-Za-z0-9_-]{43}$/;
/** Fields of `auth` that hold something the gateway issued, and that are part of what a device signs. */
const SIGNED = ["token", "deviceToken", "bootstrapToken"] as const;

const credential = z.string().optional();
const requestId = z.string().min(1).max(256);
const connectRequest = z.looseObject({
  type: z.literal("req"),
  id: requestId,
  method: z.literal("connect"),
  params: z.looseObject({
    auth: z.looseObject({ token: credential, deviceToken: credential, bootstrapToken: credential }).optional(),
  }),
});
const anyRequest = z.looseObject({ id: requestId });

/**
 * Introduces a client to its gateway: answers its `connect` request with the gateway's token as `auth.password`. OpenClaw takes its
 * shared secret there as well as in `auth.token`, and of the two only the latter is in what a device signs; so the gateway checks
 * the device's proof as it came. A client that brings what the gateway gave it needs no introduction.
 * @param presented the client's own credentials, which must not reach the pod.
 * @throws OpeningError, with an answer in the gateway's own dialect, when this is no connect request or holds a credential that is not
 * the gateway's to see.
 */
export function introduce(message: Buffer, token: string, presented: readonly string[]): string {
  const given = parse(message);
  const { data: request } = connectRequest.safeParse(given);
  if (!request) {
    throw refuse("the first message is not a connect request", anyRequest.safeParse(given).data?.id);
  }
  const { password: _, ...auth } = request.params.auth ?? {};
  const values = Object.values(auth).filter((value) => typeof value === "string");
  const foreign = SIGNED.find((name) => auth[name]?.trim() && !GATEWAY_ISSUED.test(auth[name]));
  if (foreign || values.some((value) => presented.includes(value))) throw refuseCredential(request.id, foreign);
  const isKnown = SIGNED.some((name) => auth[name]?.trim());
  return JSON.stringify({
    ...request,
    params: { ...request.params, auth: isKnown ? auth : { ...auth, password: token } },
  });
}

function refuseCredential(id: string, field: string | undefined): OpeningError {
  const reason = `auth${field ? `.${field}` : ""}: not issued by this gateway; leave it empty, your credential is in the upgrade`;
  // Clients stop at this code, where others make them try again and again.
  return refuse(reason, id, "AUTH_TOKEN_MISMATCH");
}

function refuse(reason: string, id: string | undefined, detailCode?: string): OpeningError {
  const answer = id === undefined ? undefined : errorFrame(id, reason, detailCode);
  return new OpeningError(CLOSE_CODE.policyViolation, reason, answer);
}

function parse(message: Buffer): unknown {
  try {
    return parseJson(message);
  } catch {
    return undefined;
  }
}

function errorFrame(id: string, message: string, detailCode: string | undefined): Buffer {
  const details = {
    code: detailCode,
    canRetryWithDeviceToken: false,
    recommendedNextStep: "update_auth_configuration",
  };
  const error = { code: "INVALID_REQUEST", message, ...(detailCode === undefined ? {} : { details }) };
  return encodeFrame(OPCODE.text, Buffer.from(JSON.stringify({ type: "res", id, ok: false, error })));
}
