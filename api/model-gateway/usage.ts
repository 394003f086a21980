import * as z from "zod";

/** Token counts of one call as the provider reports them. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

const count = z.int().nonnegative();
const usageSchema = z.object({ usage: z.object({ prompt_tokens: count, completion_tokens: count.default(0) }) });
const usageChunkSchema = z.object({ choices: z.array(z.unknown()).length(0) });
/** Cheap test before parsing: inside a JSON string the quotes would be escaped. */
const MENTIONS_USAGE = /"usage"\s*:\s*\{/;

/** The usage in a JSON text, if it reports one. `only` is true for a stream's extra chunk that carries nothing else. */
export function readUsage(json: string): { usage: Usage; only: boolean } | undefined {
  if (!MENTIONS_USAGE.test(json)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  const parsed = usageSchema.safeParse(value).data?.usage;
  if (!parsed) return undefined;
  return {
    usage: { promptTokens: parsed.prompt_tokens, completionTokens: parsed.completion_tokens },
    only: usageChunkSchema.safeParse(value).success,
  };
}
