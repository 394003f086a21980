import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinCodes, pairingCodeSchema, pairingRequestSchema } from "./pairing.ts";

/** As OpenClaw 2026.9.6 answered `channels.pairing.list`, and our plugin `hatchery.pairing.codes`. */
const RECORDED = {
  requests: {
    accounts: [{ channel: "telegram", channelLabel: "Telegram", accountId: "default", notifySupported: true }],
    requests: [
      {
        requestId: "UjDTkYQdXxkgO9WmNSCpySNdVMzXnckJ",
        channel: "telegram",
        channelLabel: "Telegram",
        accountId: "default",
        senderId: "4711",
        senderLabel: "telegramUserId",
        metadata: { username: "bob", firstName: "Bob", lastName: "B." },
        createdAt: "2026-11-26T09:12:42.074Z",
        lastSeenAt: "2026-11-26T09:12:43.074Z",
        expiresAt: "2026-11-26T10:12:42.074Z",
        notifySupported: true,
      },
    ],
    commandOwnerConfigured: false,
    limits: { pendingPerAccount: 3, ttlMs: 3600000 },
  },
  codes: {
    codes: [
      {
        channel: "telegram",
        accountId: "default",
        senderId: "4711",
        createdAt: "2026-11-26T09:12:42.074Z",
        code: "SDQMNLRC",
      },
    ],
  },
};

const [REQUEST, CODE] = [RECORDED.requests.requests[0], RECORDED.codes.codes[0]];
const [ACCOUNT] = RECORDED.requests.accounts;
const joined = (request: object, code: object = {}) =>
  joinCodes("telegram", {
    requests: { accounts: [ACCOUNT], requests: [{ ...REQUEST, ...request }] },
    codes: { codes: [{ ...CODE, ...code }] },
  }).map(({ shown }) => shown);

describe("the requests in a channel", () => {
  it("are told with the code that each sender has", () => {
    expect(joinCodes("telegram", RECORDED)).toEqual([
      {
        requestId: "UjDTkYQdXxkgO9WmNSCpySNdVMzXnckJ",
        shown: {
          id: "4711",
          code: "SDQMNLRC",
          accountId: "default",
          createdAt: "2026-11-26T09:12:42.074Z",
          lastSeenAt: "2026-11-26T09:12:43.074Z",
          expiresAt: "2026-11-26T10:12:42.074Z",
          meta: { username: "bob", firstName: "Bob", lastName: "B." },
        },
      },
    ]);
  });

  it("may be none", () => {
    expect(joinCodes("telegram", { requests: { accounts: [ACCOUNT], requests: [] }, codes: { codes: [] } })).toEqual(
      [],
    );
  });

  it.each<[string, object]>([
    ["sender", { senderId: "4712" }],
    ["account", { accountId: "work" }],
    ["channel", { channel: "reef" }],
    ["time", { createdAt: "2026-11-26T09:12:42.075Z" }],
  ])("never have the code of another %s", (_name, code) => {
    expect(joined({}, code)).toEqual([]);
  });

  it("have an account whose name is written in another case", () => {
    expect(joined({ accountId: "Work" }, { accountId: "work" })).toMatchObject([
      { accountId: "Work", code: "SDQMNLRC" },
    ]);
  });

  it("are those of this channel alone", () => {
    const other = { ...REQUEST, channel: "reef", senderId: "1" };
    const answer = {
      requests: { accounts: [ACCOUNT, { ...ACCOUNT, channel: "reef" }], requests: [REQUEST, other] },
      codes: { codes: [CODE, { ...CODE, channel: "reef", senderId: "1", code: "AAAABBBB" }] },
    };
    expect(joinCodes("reef", answer).map(({ shown }) => [shown.id, shown.code])).toEqual([["1", "AAAABBBB"]]);
  });

  it("do not exist where no account pairs, which is not 'none'", () => {
    expect(() => joinCodes("signal", RECORDED)).toThrow(
      expect.objectContaining({
        code: "pairing_channel_not_found",
        message: expect.stringMatching(/signal.*: telegram$/),
      }),
    );
    const nothing = { requests: { accounts: [], requests: [] }, codes: { codes: [] } };
    expect(() => joinCodes("telegram", nothing)).toThrow(/: none$/);
  });

  it.each<[string, object, object | undefined]>([
    [
      "fields of their own",
      { username: "bob", reefApproval: "s3cr3t", token: "t", __proto__: { name: "x" } },
      { username: "bob" },
    ],
    ["names that would disturb", { firstName: "a\u202eb\nc" }, { firstName: "a b c" }],
    ["names of the wrong type", { firstName: { token: "t" }, lastName: 7, tag: null }, undefined],
    ["no name that is shown", { x: "y" }, undefined],
  ])("may come from senders with %s", (_name, metadata, meta) => {
    expect(joined({ metadata })[0]?.meta).toEqual(meta);
  });

  it.each([undefined, null, "bob", ["bob"]])("may say %j of their sender", (metadata) => {
    expect(joined({ metadata })[0]).not.toHaveProperty("meta");
  });

  it.each<[string, unknown, unknown]>([
    ["nothing", undefined, RECORDED.codes],
    ["no lists", {}, RECORDED.codes],
    ["requests that are an object", { accounts: [], requests: {} }, RECORDED.codes],
    ["a request without a sender", { accounts: [ACCOUNT], requests: [{ ...REQUEST, senderId: "" }] }, RECORDED.codes],
    ["a request at no time", { accounts: [ACCOUNT], requests: [{ ...REQUEST, createdAt: "soon" }] }, RECORDED.codes],
    ["no codes", RECORDED.requests, undefined],
    ["codes that are a list", RECORDED.requests, []],
    ["a code that is none", RECORDED.requests, { codes: [{ ...CODE, code: "<script>" }] }],
  ])("are never 'none' when the answers are %s", (_name, requests, codes) => {
    expect(() => joinCodes("telegram", { requests, codes })).toThrow(expect.objectContaining({ name: "ZodError" }));
  });

  it("have the API's fields alone, whatever their senders say", () => {
    const meta = fc.dictionary(fc.oneof(fc.constantFrom("username", "name"), fc.string()), fc.jsonValue());
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), meta, (more, metadata) => {
        const [shown] = joined({ ...more, ...REQUEST, metadata });
        pairingRequestSchema.parse(shown);
      }),
    );
  });

  it("may be ten thousand", () => {
    const requests = Array.from({ length: 10_000 }, (_, i) => ({ ...REQUEST, senderId: `s${i}` }));
    const codes = requests.map(({ senderId }) => ({ ...CODE, senderId }));
    expect(joinCodes("telegram", { requests: { accounts: [ACCOUNT], requests }, codes: { codes } })).toHaveLength(
      10_000,
    );
  });
});

describe("a code", () => {
  it("may be typed in small letters", () => {
    expect(pairingCodeSchema.parse("sdqmnlrc")).toBe("SDQMNLRC");
  });

  it.each(["", "abc", "A".repeat(33), "AAAA BBBB", "AAAA\n", "ÄÖÜAAAAA", "../AAAA"])("is not %j", (code) => {
    expect(pairingCodeSchema.safeParse(code).success).toBe(false);
  });
});
