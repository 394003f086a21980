import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { hashInputs } from "./input-hash.ts";
import { withLock } from "./lock.ts";
import { cacheRoot, here } from "./paths.ts";
import { step } from "./progress.ts";
import { CommandError, run } from "./shell.ts";

/** Release the Kubernetes components are built from and say they are. */
export const KUBERNETES_VERSION = "1.35.4";

/** One Go module of go/ and how it becomes executables. */
interface Module {
  /** Folder under go/. */
  folder: string;
  title: string;
  /** What is compiled: `.` the module's own command, `tool` what go.mod lists as tools. */
  packages: readonly string[];
  /** Linker flags beside `-s -w`. */
  ldflags: readonly string[];
  /** Names under which `main` is reachable as well. */
  links: Readonly<Record<string, string>>;
}

const VERSION_PACKAGE = "k8s.io/component-base/version";
const [MAJOR = "", MINOR = ""] = KUBERNETES_VERSION.split(".");

const KUBE: Module = {
  folder: "kube",
  title: `compile Kubernetes ${KUBERNETES_VERSION}, CoreDNS and helm (about 7 min on 2 cores the first time)`,
  packages: ["."],
  // Without a version the nodes would say v0.0.0 and charts that ask for a Kubernetes version refuse to install.
  ldflags: [
    `-X ${VERSION_PACKAGE}.gitVersion=v${KUBERNETES_VERSION}`,
    `-X ${VERSION_PACKAGE}.gitMajor=${MAJOR}`,
    `-X ${VERSION_PACKAGE}.gitMinor=${MINOR}`,
  ],
  links: { kubectl: "kube", helm: "kube" },
};

const CSI: Module = {
  folder: "csi",
  title: "compile the storage driver and its sidecars (about 3 min on 2 cores the first time)",
  packages: ["tool", "."],
  ldflags: [],
  links: {},
};

const CAPSULE: Module = {
  folder: "capsule",
  title: "compile the namespace holder",
  packages: ["."],
  ldflags: [],
  links: {},
};

const PROBE: Module = {
  folder: "probe",
  title: "compile the probe of the cluster's tests",
  packages: ["."],
  ldflags: [],
  links: {},
};

/** Flags of every build and test: what differs in them is compiled again from the ground up, for minutes. */
export const GO_FLAGS = ["-trimpath", "-buildvcs=false"] as const;
/** Environment of every build and test; see GO_FLAGS. */
export const GO_ENV = { CGO_ENABLED: "0", GOFLAGS: undefined, GOOS: undefined, GOARCH: undefined };

/** Paths of the multi-call binary and its other names. */
export interface KubeBinaries {
  kube: string;
  kubectl: string;
  helm: string;
}

/** Path of the binary that holds all of Kubernetes: `kube COMPONENT flags...`. Built when its inputs changed. */
export async function ensureKube(): Promise<string> {
  return join(await ensure(KUBE), "kube");
}

/** Like `ensureKube`, with the paths of kubectl and helm, which are executables of their own. */
export async function ensureKubeBinaries(): Promise<KubeBinaries> {
  const folder = await ensure(KUBE);
  return { kube: join(folder, "kube"), kubectl: join(folder, "kubectl"), helm: join(folder, "helm") };
}

/** Folder with `csi` (the driver), `csi-provisioner` and `csi-resizer`. */
export function ensureCsi(): Promise<string> {
  return ensure(CSI);
}

/** Path of `capsule`: first process of namespaces, pause container, and door for the host. */
export async function ensureCapsule(): Promise<string> {
  return join(await ensure(CAPSULE), "capsule");
}

/** Path of `probe`, which pods of the cluster's own tests run. */
export async function ensureProbe(): Promise<string> {
  return join(await ensure(PROBE), "probe");
}

/**
 * Folder with a module's executables, named by the hash of all that goes in. Several processes may ask at once: one
 * builds, the others wait for it.
 */
async function ensure(module: Module): Promise<string> {
  const source = here("go", module.folder);
  const go = await goVersion(source);
  const flags = [...GO_FLAGS, "-ldflags", ["-s -w", ...module.ldflags].join(" ")];
  const inputs = [go, process.arch, ...flags, ...module.packages, JSON.stringify(module.links)];
  const target = join(cacheRoot(), "bin", `${module.folder}-${await hashInputs(source, ["."], inputs)}`);
  if (existsSync(target)) return target;
  return withLock(join(cacheRoot(), "locks", `build-${module.folder}`), async () => {
    if (existsSync(target)) return target;
    const building = `${target}.${randomUUID().slice(0, 8)}`;
    await mkdir(building, { recursive: true });
    try {
      await step(module.title, () =>
        run(["go", "build", ...flags, "-o", `${building}/`, ...module.packages], {
          cwd: source,
          env: GO_ENV,
        }),
      );
      for (const [link, to] of Object.entries(module.links)) await symlink(to, join(building, link));
      await rename(building, target);
    } finally {
      await rm(building, { recursive: true, force: true });
    }
    return target;
  });
}

async function goVersion(source: string): Promise<string> {
  try {
    return (await run(["go", "env", "GOVERSION"], { cwd: source })).trim();
  } catch (error) {
    if (error instanceof CommandError && error.code === undefined) {
      throw new Error("Go is missing: install Go 1.26 or newer from https://go.dev/dl and put it on PATH", {
        cause: error,
      });
    }
    throw error;
  }
}
