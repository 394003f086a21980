import * as z from "zod";
import { type KeyRing, KeyRingError, parseKeyRing } from "./keys.ts";

/** A key ring given as text, for `parseEnv`; await `keysReady` before parsing. */
export const envKeyRing = z
  .string()
  .transform((text, context): KeyRing => {
    try {
      return parseKeyRing(text);
    } catch (error) {
      if (!(error instanceof KeyRingError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  })
  .describe("32 bytes as 64 hex digits or base64; several, newest first, separated by commas");
