import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createTestNamespace } from "#test/harness/test-namespace.ts";
import { encodeCursor } from "../http/page.ts";
import { ADMIN, type ApiOnCluster, startApiOnCluster } from "../testing/api-on-cluster.ts";
import { call } from "../testing/client.ts";

const owned = new AsyncDisposableStack();
let api: ApiOnCluster;
let thread: string;

beforeAll(async () => {
  const access = loadKubeAccess(inject("kubeconfig"));
  const { namespace } = owned.use(await createTestNamespace(access, "cursors"));
  api = owned.use(await startApiOnCluster({ access, namespace, postgresPort: inject("postgresPort") }));
  const made = await call(api.url, { path: "/api/threads", user: ADMIN, body: { title: "t" } });
  thread = (made.json as { data: { id: string } }).data.id;
});
afterAll(() => owned.disposeAsync());

const NUMBERS = [-1, 0, 1, 1.5, 8.64e15, 8.64e15 + 1, Number.MAX_SAFE_INTEGER, 1e300];
const KEYS = ["", "x", "\0", "\ud800", "x".repeat(600), "999999999999999999", "00000000-0000-4000-8000-000000000000"];
const FORGED = [
  ...NUMBERS.flatMap((at) =>
    KEYS.flatMap((key) => [
      { at, key },
      { at, id: key },
    ]),
  ),
  ...NUMBERS.map((order) => ({ order })),
  ...KEYS.map((seq) => ({ seq })),
  ...KEYS.map((name) => ({ created: name, name })),
].map(encodeCursor);

it("a forged cursor is refused or leads somewhere in the caller's own list, on every list", async () => {
  const lists = api.routes.filter(
    ({ query }) => query?.safeParse({ cursor: "" }).error?.issues[0]?.path[0] === "cursor",
  );
  expect(lists.length).toBeGreaterThan(6);
  for (const { path } of lists) {
    const seen = new Set<number>();
    for (const cursor of ["x", "bnVsbA", "W10", "gA", ...FORGED]) {
      const to = `${path.replace(":id", thread)}?cursor=${cursor}`;
      const { status, text } = await call(api.url, { path: to, user: ADMIN });
      expect([200, 400], `${to}: ${text}`).toContain(status);
      seen.add(status);
    }
    // Some of them have the form of each list's own.
    expect(seen, path).toEqual(new Set([200, 400]));
  }
});
