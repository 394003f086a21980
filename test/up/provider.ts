import { once } from "node:events";
import { connect, isIP } from "node:net";
import type { Outside } from "#test/cluster/outside.ts";

/** The model behind every OpenClaw: a real provider's, or the simulated one. */
export interface ModelProvider {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
}

/**
 * The real model provider named by the environment, or undefined for the simulated one.
 * @throws Error naming the missing ones when only some of the three variables are set, or when the URL is none.
 */
export function readProvider(env: Readonly<Record<string, string | undefined>>): ModelProvider | undefined {
  const { MODEL_BASE_URL: baseUrl, MODEL_API_KEY: apiKey, MODEL_NAME: model } = env;
  const names = Object.entries({ MODEL_BASE_URL: baseUrl, MODEL_API_KEY: apiKey, MODEL_NAME: model });
  const missing = names.filter(([, value]) => !value).map(([name]) => name);
  if (missing.length === names.length) return undefined;
  if (!baseUrl || !apiKey || !model)
    throw new Error(`${missing.join(" and ")} must be set too to use a real model provider`);
  if (!["http:", "https:"].includes(URL.parse(baseUrl)?.protocol ?? ""))
    throw new Error(`MODEL_BASE_URL is "${baseUrl}"; expected http://... or https://...`);
  return { baseUrl, apiKey, model };
}

/** What a provider on this machine, or one that has no name, is called inside a cluster of ours. */
const NAME_INSIDE = "model-provider.internal";

/** How pods of a cluster of ours get to a provider. */
export interface ProviderRoute {
  /** Its base URL as pods have to use it. */
  readonly baseUrl: string;
  /** What the cluster has to let them out to; absent for a provider inside. */
  readonly outside?: Outside;
}

/**
 * How pods of a cluster of ours, which lets nothing out by itself, get to the provider at `baseUrl`. A name stays what it is:
 * certificates and virtual hosts depend on it. `localhost` and addresses mean others inside, so these get a name.
 * @throws Error for an https URL without a name, for which no certificate would be right.
 */
export function routeProvider(baseUrl: string): ProviderRoute {
  const url = new URL(baseUrl);
  const { hostname } = url;
  if (/\.svc(\.cluster\.local)?$/.test(hostname)) return { baseUrl };
  const target = `${hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
  if (!isLocalName(hostname) && !isAddress(hostname)) return { baseUrl, outside: { name: hostname, target } };
  if (url.protocol === "https:")
    throw new Error(`MODEL_BASE_URL is "${baseUrl}"; with https, a local cluster needs the name in the certificate`);
  url.hostname = NAME_INSIDE;
  return { baseUrl: url.href, outside: { name: NAME_INSIDE, target } };
}

/** Whether a URL leads to the machine that asks, whichever that is. */
export function isLoopback(baseUrl: string): boolean {
  const { hostname } = new URL(baseUrl);
  return isLocalName(hostname) || (isAddress(hostname) && /^(127\.|\[::1\])/.test(hostname));
}

const isLocalName = (hostname: string) => /(^|\.)localhost$/.test(hostname);
const isAddress = (hostname: string) => isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;

/**
 * Makes sure that this machine gets to a provider, before minutes are spent on what could not work.
 * @throws Error with the address (HOST:PORT) and the system's reason.
 */
export async function requireReachable(target: string): Promise<void> {
  const colon = target.lastIndexOf(":");
  const host = target.slice(0, colon).replace(/^\[|\]$/g, "");
  const socket = connect({ host, port: Number(target.slice(colon + 1)) });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(10_000) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`MODEL_BASE_URL: this machine has no direct way to ${target}: ${code ?? message}`, {
      cause: error,
    });
  } finally {
    socket.destroy();
  }
}
