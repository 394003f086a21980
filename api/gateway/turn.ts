import * as z from "zod";

/** The agent that answers; OpenClaw's `model` names an agent, not a model. */
export const AGENT = "openclaw";

/** A body in OpenAI's dialect: only what we set or look at is checked, the rest is between the caller and its gateway. */
export const turnBody = z.looseObject(
  {
    model: z.string().min(1).max(256).optional(),
    user: z.string().min(1).max(256).optional(),
    stream: z.boolean().nullish(),
  },
  { error: "expected a JSON object" },
);

/** The text parts of a finished response. */
const textPart = z.object({ type: z.literal("output_text"), text: z.string() });

/** A finished response of the gateway, as far as we read it. */
export const finishedResponse = z.looseObject({
  id: z.string().optional(),
  status: z.string(),
  output: z.array(z.looseObject({ content: z.array(z.unknown()).optional() })).default([]),
  usage: z.unknown().optional(),
});

/** The text of a finished response. */
export function replyText(response: z.output<typeof finishedResponse>): string {
  const parts = response.output.flatMap((item) => item.content ?? []);
  return parts
    .map((part) => textPart.safeParse(part).data?.text ?? "")
    .filter((text) => text !== "")
    .join("\n");
}
