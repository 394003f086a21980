import { describe, expect, it } from "vitest";
import { classStatusSchema, type OpenClawClass, REASON } from "#crds/index.ts";
import { aClass, anInstance, NOW } from "../instance/view.fixture.ts";
import { type ClassFindings, deriveClassStatus } from "./status.ts";

const failing = (name: string) => {
  const failure = { step: "pod" as const, reason: "ImagePullFailed", message: "said by the tenant", since: "" };
  const instance = anInstance({}, { failure });
  return { ...instance, metadata: { ...instance.metadata, name } };
};
const starting = anInstance();

function classOf(parts: Partial<OpenClawClass> = {}, generation = 2): OpenClawClass {
  const plan = aClass({ rollout: { maxUnavailable: 2 } });
  return { ...plan, ...parts, metadata: { ...plan.metadata, generation } };
}

function derive(found: Partial<ClassFindings> = {}, plan = classOf(), now = NOW) {
  const status = deriveClassStatus(
    plan,
    { count: { instances: 4, ready: 3 }, turns: [], waiting: 0, refused: 0, planned: 4, ...found },
    now,
  );
  expect(classStatusSchema.safeParse(status).error).toBeUndefined();
  const [config, rollout] = status.conditions ?? [];
  return { status, config, rollout };
}

describe("the status of a class", () => {
  it("says how many instances it has, and that all run by it", () => {
    const { status, config, rollout } = derive();
    expect(status).toMatchObject({ observedGeneration: 2, instances: 4, ready: 3 });
    expect(config).toMatchObject({ type: "ConfigValid", status: "True", reason: REASON.AsExpected });
    expect(rollout).toMatchObject({ type: "RolledOut", status: "True", reason: REASON.AsExpected });
  });

  it("counts those that cannot follow it", () => {
    expect(derive({ refused: 2 }).rollout).toMatchObject({
      status: "True",
      message:
        "All instances run by the class as it is now but 2 whose own spec does not fit it: they stay as they are.",
    });
  });

  it("names the keys of its configuration that it may not set", () => {
    const plan = aClass({ gateway: { config: { gateway: { port: 1 } } } });
    expect(derive({}, plan).config).toMatchObject({
      status: "False",
      reason: REASON.ForbiddenConfigKey,
      message: expect.stringContaining("gateway.config.gateway.port"),
    });
  });

  it("tells of a rollout: whose turn it is and how many wait", () => {
    const { rollout } = derive({ turns: [starting, failing("b")], waiting: 7 });
    expect(rollout).toMatchObject({ status: "False", reason: REASON.RollingOut });
    expect(rollout?.message).toContain("at most 2 at a time: tenants/alice, tenants/b. 7 more wait");
  });

  it("says that it is stuck once no turn can come to a good end, naming three, and no words of tenants", () => {
    const stuck = derive({ turns: [failing("a"), failing("b")], waiting: 1 }).rollout;
    expect(stuck).toMatchObject({ status: "False", reason: REASON.RolloutStuck });
    expect(stuck?.message).toContain("tenants/a (ImagePullFailed), tenants/b (ImagePullFailed). 1 more waits");
    expect(stuck?.message).not.toContain("said by the tenant");
    const many = derive({ turns: ["a", "b", "c", "d", "e"].map(failing), waiting: 1 }).rollout;
    expect(many?.message).toContain("tenants/c (ImagePullFailed) and 2 more");
    // A turn is free for one of those that wait.
    expect(derive({ turns: [failing("a")], waiting: 1 }).rollout?.reason).toBe(REASON.RollingOut);
    // Nobody waits, and the last ones fail.
    expect(derive({ turns: [failing("a")] }).rollout?.reason).toBe(REASON.RolloutStuck);
  });

  it("holds after a start of the operator, before all are looked at", () => {
    const told = classOf({ status: derive().status });
    expect(derive({ planned: 0 }, told, NOW + 60_000).status).toEqual(told.status);
  });

  it("does not call a change rolled out before all were looked at", () => {
    const told = classOf({ status: derive().status }, 3);
    expect(derive({ planned: 3 }, told).rollout).toMatchObject({ status: "False", reason: REASON.RollingOut });
    expect(derive({ planned: 4 }, told).rollout).toMatchObject({ status: "True", observedGeneration: 3 });
  });
});
