import { describe, expect, it } from "vitest";
import { CREDENTIAL_PREFIX, readOffer, SUBPROTOCOL } from "./subprotocol.ts";

const credential = (text: string) => CREDENTIAL_PREFIX + Buffer.from(text).toString("base64url");
const offer = (...lines: string[]) => ({ "sec-websocket-protocol": lines, "x-other": ["1"] });

describe("the subprotocols a client offers", () => {
  it.each([
    ["in one line", offer(`${SUBPROTOCOL}, ${credential("a.b.c")}`)],
    ["in two", offer(credential("a.b.c"), SUBPROTOCOL)],
    ["among others", offer(`chat,${credential("a.b.c")} , ${SUBPROTOCOL}`)],
  ])("carry a credential %s, which takes the place of the header", (_name, headers) => {
    expect(readOffer(headers)).toEqual({
      chosen: SUBPROTOCOL,
      headers: { "x-other": ["1"], authorization: ["Bearer a.b.c"] },
    });
  });

  it("need not carry one", () => {
    const headers = { authorization: ["Bearer x"] };
    expect(readOffer(headers)).toEqual({ chosen: undefined, headers });
    expect(readOffer({ ...headers, ...offer(SUBPROTOCOL) })).toMatchObject({ chosen: SUBPROTOCOL });
    expect(readOffer({ ...headers, ...offer("chat") })).toMatchObject({ chosen: undefined });
  });

  it.each([
    ["two credentials", offer(SUBPROTOCOL, credential("a"), credential("a"))],
    ["one beside a header", { ...offer(SUBPROTOCOL, credential("a")), authorization: ["Bearer a"] }],
    ["one alone", offer(credential("a"))],
    ["an empty one", offer(SUBPROTOCOL, CREDENTIAL_PREFIX)],
    ["one that is no base64url", offer(SUBPROTOCOL, `${CREDENTIAL_PREFIX}a+b/c=`)],
    ["one with a line end in it", offer(SUBPROTOCOL, credential("a\r\nx-oa-user-id: bob"))],
    ["one with a space in it", offer(SUBPROTOCOL, credential("a b"))],
    ["one beyond ASCII", offer(SUBPROTOCOL, credential("é"))],
  ])("are refused with %s, which is not repeated", (_name, headers) => {
    expect(() => readOffer(headers)).toThrow(expect.objectContaining({ code: "invalid_request" }));
    expect(() => readOffer(headers)).toThrow(/^Sec-WebSocket-Protocol: /);
  });
});
