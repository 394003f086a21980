import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deviceListSchema, normalizeDevices } from "./devices.ts";

const DEVICE = "d7071fdd2ba9d79eb84fa5dee66a522c04e3482f797d6b6e6deb2afb5e5e074e";
const NODE = "1cea07412fead1f2cb118a1d7560d69fe880237c617a3839a7eefd9f48dc7f29";

/** As OpenClaw 2026.9.6 answered `device.pair.list`. */
const RECORDED = {
  pending: [
    {
      requestId: "ee5017be-00b0-4769-8cf0-1324acef19f9",
      deviceId: DEVICE,
      publicKey: "TOd-Fvy0GmigvOi6_2MOxp1V_1ToBk1ikGuByZu9PIw",
      displayName: "Alice's phone",
      platform: "linux",
      clientId: "cli",
      clientMode: "cli",
      role: "operator",
      roles: ["operator"],
      scopes: ["operator.read", "operator.write"],
      remoteIp: "10.42.0.7",
      silent: false,
      isRepair: false,
      ts: 1795684493357,
    },
  ],
  paired: [
    {
      deviceId: NODE,
      publicKey: "-yzcPsgpi04S-nCqYpNmOw6YjBEO51R-HyM5IiqM2CQ",
      platform: "linux",
      deviceFamily: "Linux",
      clientId: "node-host",
      clientMode: "node",
      role: "node",
      roles: ["node"],
      scopes: [],
      approvedVia: "owner",
      createdAtMs: 1795684415367,
      approvedAtMs: 1795684415367,
      lastSeenAtMs: 1795684414998,
      lastSeenReason: "connect",
      connected: false,
      tokens: [{ role: "node", scopes: [], createdAtMs: 1795684415367 }],
    },
  ],
};

const [PENDING, PAIRED] = [RECORDED.pending[0], RECORDED.paired[0]];
const pending = (more: object) => normalizeDevices({ pending: [{ ...PENDING, ...more }], paired: [] }).pending[0];
const paired = (more: object) => normalizeDevices({ pending: [], paired: [{ ...PAIRED, ...more }] }).paired[0];

describe("the gateway's devices", () => {
  it("are told in the words of the API", () => {
    expect(normalizeDevices(RECORDED)).toEqual({
      pending: [
        {
          requestId: "ee5017be-00b0-4769-8cf0-1324acef19f9",
          deviceId: DEVICE,
          displayName: "Alice's phone",
          client: { platform: "linux", mode: "cli", id: "cli" },
          role: "operator",
          roles: ["operator"],
          scopes: ["operator.read", "operator.write"],
          remoteIp: "10.42.0.7",
          requestedAt: 1795684493357,
          expiresAt: 1795684793357,
        },
      ],
      paired: [
        {
          deviceId: NODE,
          displayName: null,
          client: { platform: "linux", mode: "node", id: "node-host" },
          role: "node",
          roles: ["node"],
          scopes: [],
          pairedAt: 1795684415367,
          lastSeenAt: 1795684414998,
        },
      ],
    });
  });

  it("have the name their owner gave them", () => {
    expect(paired({ displayName: "iPhone", operatorLabel: "Alice's" })?.displayName).toBe("Alice's");
    expect(paired({ displayName: "iPhone", operatorLabel: "" })?.displayName).toBe("iPhone");
  });

  it("ask for every role they would get, also those that stand in the list alone", () => {
    expect(pending({ role: "node", roles: ["operator", "node"] })).toMatchObject({
      role: "node",
      roles: ["node", "operator"],
    });
    expect(pending({ role: undefined, roles: ["operator"] })).toMatchObject({ role: "operator", roles: ["operator"] });
    expect(pending({ role: undefined, roles: undefined })).toMatchObject({ role: null, roles: [] });
  });

  it("may lack all but their ids", () => {
    const [bare] = normalizeDevices({ pending: [{ requestId: "r1", deviceId: "d1" }], paired: [] }).pending;
    expect(bare).toEqual({
      requestId: "r1",
      deviceId: "d1",
      displayName: null,
      client: { platform: null, mode: null },
      role: null,
      roles: [],
      scopes: [],
      requestedAt: null,
      expiresAt: null,
    });
    expect(normalizeDevices({ pending: [], paired: [{ deviceId: "d1" }] }).paired[0]).toEqual({
      deviceId: "d1",
      displayName: null,
      client: { platform: null, mode: null },
      role: null,
      roles: [],
      scopes: [],
      pairedAt: null,
    });
  });

  it.each<[string, object, object]>([
    ["a name of the wrong type", { displayName: { token: "t" } }, { displayName: null }],
    ["a name that would disturb", { displayName: "a\u001b[2Jb\u202ec" }, { displayName: "a [2Jb c" }],
    ["scopes that are none", { scopes: "operator.admin" }, { scopes: [] }],
    [
      "scopes of mixed types",
      { scopes: ["operator.read", 7, null, { token: "t" }, ["x"]] },
      { scopes: ["operator.read"] },
    ],
    ["a time that is a text", { ts: "yesterday" }, { requestedAt: null, expiresAt: null }],
    ["a time before all times", { ts: -1 }, { requestedAt: null, expiresAt: null }],
    ["a time that is no whole number", { ts: 1.5 }, { requestedAt: null }],
    ["a platform that is a list", { platform: ["ios"] }, { client: { platform: null } }],
  ])("may have %s", (_name, more, shown) => {
    expect(pending(more)).toMatchObject(shown);
  });

  it("have an address only if it is one", () => {
    expect(pending({ remoteIp: "fd00::1" })).toMatchObject({ remoteIp: "fd00::1" });
    expect(pending({ remoteIp: "evil.example/x" })).not.toHaveProperty("remoteIp");
    expect(pending({ remoteIp: 7 })).not.toHaveProperty("remoteIp");
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a text", "[]"],
    ["a list", []],
    ["no lists", {}],
    ["one list", { pending: [] }],
    ["lists that are objects", { pending: {}, paired: {} }],
    ["a device without an id", { pending: [], paired: [{ displayName: "x" }] }],
    ["a request without an id", { pending: [{ deviceId: "d1" }], paired: [] }],
    ["an id that is a path", { pending: [{ requestId: "../x", deviceId: "d1" }], paired: [] }],
    ["an id of another type", { pending: [], paired: [{ deviceId: 7 }] }],
    ["a device that is null", { pending: [null], paired: [] }],
  ])("are never 'none' when the answer is %s", (_name, payload) => {
    expect(() => normalizeDevices(payload)).toThrow();
  });

  it("may be ten thousand, each of which is told", () => {
    const many = {
      pending: Array.from({ length: 10_000 }, (_, i) => ({ ...PENDING, requestId: `r${i}` })),
      paired: [],
    };
    const { pending: shown } = normalizeDevices(many);
    expect([shown.length, shown[0]?.requestId, shown.at(-1)?.requestId]).toEqual([10_000, "r0", "r9999"]);
  });
});

describe("secrets", () => {
  const SECRET = "s3cr3t";

  it("get no further, wherever they are", () => {
    const hiding = {
      token: SECRET,
      tokens: { operator: { token: SECRET } },
      publicKey: SECRET,
      auth: { deviceToken: SECRET },
      client: { platform: SECRET, token: SECRET },
      nodeSurface: { token: SECRET },
      [SECRET]: SECRET,
    };
    const odd = { ...hiding, scopes: [{ token: SECRET }], roles: { token: SECRET }, displayName: { token: SECRET } };
    const answer = { pending: [{ ...PENDING, ...odd }], paired: [{ ...PAIRED, ...odd }], ...hiding };
    expect(JSON.stringify(normalizeDevices(answer))).not.toContain(SECRET);
  });

  it("are not in what any answer becomes, for it has the API's fields alone", () => {
    const field = fc.constantFrom("displayName", "platform", "clientId", "role", "roles", "scopes", "ts", "remoteIp");
    const entry = fc.dictionary(fc.oneof(field, fc.string()), fc.jsonValue());
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
        const devices = entries.map((more) => ({ ...more, requestId: "r", deviceId: "d" }));
        deviceListSchema.parse(normalizeDevices({ pending: devices, paired: devices }));
      }),
    );
  });
});
