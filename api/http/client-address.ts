import { isIP, isIPv4, isIPv6 } from "node:net";
import type { Request } from "express";

/**
 * As whose a call is counted that needs no credential: the client's IPv4 address, or the /64 network of its IPv6 address, of which one
 * customer has all. Proxies are believed by the application's setting `trust proxy` alone.
 */
export function addressOf({ ip = "unknown" }: Partial<Pick<Request, "ip">>): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  return isIPv6(ip) ? network64(ip) : ip;
}

function network64(ip: string): string {
  const [address = ""] = ip.split("%");
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail ? tail.split(":") : [];
  // An IPv4 address at the end stands for two groups.
  const groups = before.length + after.length + (address.includes(".") ? 1 : 0);
  const omitted = tail === undefined ? 0 : 8 - groups;
  const all = [...before, ...Array<string>(omitted).fill("0"), ...after];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}

/** True for an IP address and for a CIDR range that is not of all addresses: to believe everybody is to believe the client. */
export function isProxyRange(text: string): boolean {
  const [address = "", prefix, ...more] = text.split("/");
  if (!isIP(address) || address.includes("%") || more.length > 0) return false;
  if (prefix === undefined) return true;
  return /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (isIPv4(address) ? 32 : 128);
}
