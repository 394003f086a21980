import { openAiErrorType } from "../http/openai-error-type.ts";

/** A refusal in OpenAI's form; `message` goes to the caller as it is. */
export class OpenAIError extends Error {
  override name = "OpenAIError";
  readonly status: number;
  readonly type: string;
  readonly code: string;
  /** Path of the field at fault, if one is. */
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { param?: string; headers?: Readonly<Record<string, string>>; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.status = status;
    this.type = openAiErrorType(status);
    this.code = code;
    this.param = more.param ?? null;
    this.headers = more.headers ?? {};
  }

  /** The body of the answer. */
  toBody(): object {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.code } };
  }
}
