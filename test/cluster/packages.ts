import { existsSync } from "node:fs";
import { join } from "node:path";
import { step } from "./progress.ts";
import { run } from "./shell.ts";

/** A Debian package and the file that shows it is there: a program's name, or an absolute path. */
export type Package = readonly [name: string, proof: string];

/** What a cluster on this machine needs beside Go. */
export const CLUSTER_PACKAGES: readonly Package[] = [
  ["containerd", "containerd"],
  ["runc", "runc"],
  ["containernetworking-plugins", "/usr/lib/cni/ptp"],
  ["iproute2", "ip"],
  ["iptables", "iptables"],
  ["nftables", "nft"],
  ["xfsprogs", "mkfs.xfs"],
  ["util-linux", "unshare"],
  ["mount", "losetup"],
  ["openssl", "openssl"],
];

/** What a control plane without nodes needs beside Go. */
export const CONTROL_PLANE_PACKAGES: readonly Package[] = [
  ["util-linux", "setpriv"],
  ["openssl", "openssl"],
];

/** Where programs are looked for: PATH, and the folders of system programs that are often not on it. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** The packages whose proof is not there. */
export function missingPackages(packages: readonly Package[], path = process.env.PATH ?? ""): Package[] {
  const folders = [...path.split(":").filter(Boolean), ...SYSTEM_FOLDERS];
  const present = (proof: string) =>
    proof.startsWith("/") ? existsSync(proof) : folders.some((folder) => existsSync(join(folder, proof)));
  return packages.filter(([, proof]) => !present(proof));
}

/**
 * Makes sure that the packages are installed; asks apt-get for the missing ones when this is root on a Debian.
 * @throws Error naming what is missing and the command that installs it.
 */
export async function ensurePackages(packages: readonly Package[]): Promise<void> {
  const missing = missingPackages(packages);
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name);
  const remedy = `apt-get install --no-install-recommends ${names.join(" ")}`;
  const found = missing.map(([name, proof]) => `${proof} (Debian package ${name})`).join(", ");
  if (process.getuid?.() !== 0) throw new Error(`missing: ${found}. As root: ${remedy}`);
  if (missingPackages([["apt", "apt-get"]]).length > 0)
    throw new Error(`missing: ${found}. Install them and try again`);
  await step(`install ${names.join(", ")}`, () => install(names));
  const still = missingPackages(missing);
  if (still.length > 0) throw new Error(`installed, yet not found: ${still.map(([, proof]) => proof).join(", ")}`);
}

async function install(names: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const command = ["apt-get", "install", "--yes", "--no-install-recommends", ...names];
  try {
    await run(command, { env });
  } catch {
    await run(["apt-get", "update"], { env }); // lists may be absent or old; the second failure is the one that counts
    await run(command, { env });
  }
}
