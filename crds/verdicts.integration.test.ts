import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Apiserver, connect } from "./apiserver.fixture.ts";
import { CLASSES, INSTANCES } from "./resources.ts";
import { VERDICT_CASES } from "./verdict-cases.fixture.ts";

const TYPES = { OpenClawInstance: INSTANCES, OpenClawClass: CLASSES };
const namespace = `verdicts-${randomUUID().slice(0, 8)}`;
let apiserver: Apiserver;

beforeAll(async () => {
  apiserver = connect(inject("kubeconfig"));
  await apiserver.createNamespace(namespace);
});
afterAll(() => apiserver.close());

/** The same rows as in schema/verdicts.test.ts: what zod refuses the apiserver refuses, blaming the same field. */
describe.each(["OpenClawInstance", "OpenClawClass"] as const)("the apiserver on %s", (kind) => {
  it.each(VERDICT_CASES.filter((row) => row.kind === kind))("$what", async ({ object, refused }) => {
    const { metadata } = object as { metadata: object };
    const placed = { ...object, metadata: { ...metadata, ...(kind === "OpenClawInstance" ? { namespace } : {}) } };
    const verdict = apiserver.create(TYPES[kind], placed, { dryRun: "All", fieldValidation: "Strict" });
    if (refused === undefined) await expect(verdict).resolves.toMatchObject(metadata ? { kind } : {});
    else await expect(verdict).rejects.toMatchObject({ message: expect.stringContaining(refused) });
  });
});
