import * as z from "zod";
import { OpenAIError } from "./openai-error.ts";

/** What the gateway itself needs of a chat completion request; all the rest is between the pod and the provider. */
const chatRequestSchema = z.looseObject({
  model: z.string().min(1),
  messages: z.array(z.unknown()).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
});
/** A chat completion request that is good enough to be sent on. */
export type ChatRequest = z.output<typeof chatRequestSchema>;

/**
 * Checks the body of a chat completion request.
 * @throws OpenAIError 400 with the path of the first faulty field.
 */
export function parseChatRequest(body: unknown): ChatRequest {
  const result = chatRequestSchema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const param = issue?.path.join(".") ?? "";
  const text = `${param || "body"}: ${issue?.message ?? "is not usable"}`;
  throw new OpenAIError(400, "invalid_body", text, param ? { param } : {});
}

/** True when the client wants the usage chunk at the end of its stream. */
export function wantsUsage(request: ChatRequest): boolean {
  return request.stream_options?.include_usage === true;
}

/** The request as the provider gets it: its own name of the model, and token usage reported in every stream. */
export function providerBody(request: ChatRequest, providerModel: string): object {
  return {
    ...request,
    model: providerModel,
    ...(request.stream && { stream_options: { ...request.stream_options, include_usage: true } }),
  };
}
