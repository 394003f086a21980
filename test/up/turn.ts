/** What is read of an event of a streamed turn. */
interface TurnEvent {
  type?: string;
  delta?: string;
  response?: { error?: { message?: string } };
}

/**
 * The text of a streamed turn, piece by piece as it arrives; `chunks` are the pieces of the event stream's text.
 * @throws Error with the turn's own words when it failed, and when the stream ends before the turn is complete.
 */
export async function* readTurn(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  let completed = false;
  for await (const chunk of chunks) {
    const records = (rest + chunk).split("\n\n");
    rest = records.pop() ?? "";
    for (const record of records) {
      const event = readEvent(record);
      if (event?.type === "response.failed")
        throw new Error(`the turn failed: ${event.response?.error?.message ?? record}`);
      if (event?.type === "response.completed") completed = true;
      if (event?.type === "response.output_text.delta") yield event.delta ?? "";
    }
  }
  if (!completed) throw new Error("the stream ended before the turn was complete");
}

function readEvent(record: string): TurnEvent | undefined {
  const data = record.split("\n").find((line) => line.startsWith("data: "));
  if (!data || data === "data: [DONE]") return undefined;
  return JSON.parse(data.slice("data: ".length)) as TurnEvent;
}
