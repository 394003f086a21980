/** What holds for all operations, in paragraphs of Markdown. */
export const OVERVIEW = [
  "Every caller's own OpenClaw, and what is around it. Who calls is in the credential alone: no call names an instance, and one credential never reaches another's.",
  "Answers are `{ok: true, data, error: null, requestId}` or `{ok: false, data: null, error, code, requestId}`. `error` is for people, `code` for programs. Below `/v1` errors have OpenAI's form, so that its SDKs work: `base_url` is this server's `/v1`, `api_key` an API token.",
  "Bodies are JSON in UTF-8, whatever `Content-Type` says, uncoded, up to 2 MiB (a turn: 20 MiB) and 200 levels deep. Times are milliseconds since the epoch. Lists come in pages: `next_cursor` of one is `cursor` of the next.",
  "A path answers `HEAD` where it answers `GET` with anything but a stream, and other methods with 405 and `Allow`. Statuses with `Retry-After` may work later; a turn that may have run is never worth repeating blindly.",
].join("\n\n");
