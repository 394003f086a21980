import * as z from "zod";

/** One @, no spaces, nothing invisible, a dot in the host: enough to tell an address from anything else; only a mail proves that it is one. */
const SHAPE =
  /^[^\s@<>,;"\\\p{C}]{1,64}@[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)+$/u;
const MAX_LENGTH = 254;

/** An e-mail address in the one spelling that is stored and compared: trimmed and in lower case; undefined when it is none. */
export function normalizeEmail(text: string): string | undefined {
  const email = text.trim().toLowerCase();
  return email.length <= MAX_LENGTH && SHAPE.test(email) ? email : undefined;
}

/** An e-mail address as a caller sends it, read as {@link normalizeEmail} has it. */
export const emailSchema = z
  .string()
  .max(MAX_LENGTH, "expected an e-mail address")
  .meta({ description: "An e-mail address.", format: "email" })
  .transform((text, context) => {
    const email = normalizeEmail(text);
    if (email !== undefined) return email;
    context.addIssue({ code: "custom", message: "expected an e-mail address" });
    return z.NEVER;
  });
