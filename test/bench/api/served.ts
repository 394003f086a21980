import { request } from "undici";
import { waitFor } from "#test/cluster/wait.ts";

/** Resolves once this address answers 200. @throws the signal's reason when it aborts. */
export async function waitUntilServed(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  await waitFor(
    url,
    async () => {
      const { statusCode, body } = await request(url, { headers });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`${statusCode} ${text.slice(0, 500)}`);
      return true;
    },
    { signal },
  );
}
