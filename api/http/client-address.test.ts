import { describe, expect, it } from "vitest";
import { addressOf, isProxyRange } from "./client-address.ts";

it.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0DB8:0001:0002::9", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:db8:1:2:3:4:192.0.2.1", "2001:db8:1:2::/64"],
  ["2001::2:3:4:5:6:7", "2001:0:2:3::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
  ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  [undefined, "unknown"],
])("%s is counted as %s", (ip, counted) => {
  expect(addressOf(ip === undefined ? {} : { ip })).toBe(counted);
});

describe("a proxy", () => {
  it.each(["10.0.0.1", "10.0.0.0/8", "192.0.2.0/1", "::1", "2001:db8::/32", "2001:db8::/128"])("may be %s", (range) => {
    expect(isProxyRange(range)).toBe(true);
  });

  it.each([
    "",
    "proxy.example",
    "10.0.0",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/8/8",
    "10.0.0.0/",
    "0.0.0.0/0",
    "::/0",
    "2001:db8::/129",
    "fe80::1%eth0",
    "loopback",
  ])("may not be %j", (range) => {
    expect(isProxyRange(range)).toBe(false);
  });
});
