import * as z from "zod";
import { type OpenClawInstance, tenantKey } from "#crds/index.ts";
import { KubeError } from "#lib/kube/errors.ts";
import type { ApiContext } from "../context.ts";
import { type Check, checkSchema, LINKS, well } from "../diagnostics/check.ts";
import { checkCall } from "../diagnostics/gateway-check.ts";
import { checkKnown, checkNothing } from "../diagnostics/instance-checks.ts";
import { faultOf } from "../error-mapper.ts";
import { ApiError } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";

const result = z.strictObject({
  healthy: z.boolean().describe("No link failed, and each could be looked at."),
  checks: z.array(checkSchema).describe("In the order of the chain."),
});

/**
 * `GET /api/openclaw/diagnostics`: each link from this credential to the model, with what fails and what to do. Answers with what it
 * can find out: while Kubernetes is away, with what was known last.
 */
export function getDiagnostics(context: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/openclaw/diagnostics",
    operation: "getDiagnostics",
    tag: "runtime",
    summary: "Each link from the caller's credential to their model: what fails, and what to do.",
    access: "tenant",
    scope: "openclaw:read",
    result,
    errors: [],
    async answer(call): Promise<z.output<typeof result>> {
      const { cluster, instance } = await look(context, call);
      const found = [
        ...(await checkCaller(context, call)),
        cluster,
        ...(instance || cluster.status === "ok" ? checkKnown(instance) : checkNothing()),
        await checkCall(context, call, instance),
      ];
      const checks = LINKS.flatMap((link) => found.filter((check) => check.link === link));
      return { healthy: checks.every(({ status }) => status === "ok"), checks };
    },
  });
}

/** Who got as far as this has a good credential and is let in; what is of use is as whom, and why. */
async function checkCaller({ access }: ApiContext, { identity }: Call): Promise<Check[]> {
  const { userAccess, waitlistEntry, isAdmin } = await access.explain(identity);
  const because = isAdmin
    ? "as an admin"
    : userAccess
      ? "by an admin's decision"
      : waitlistEntry?.approved
        ? "by an approved e-mail address"
        : identity.owner
          ? "with the human who owns the agent, or since everybody is"
          : "since everybody is";
  const scopes = [...identity.scopes].join(", ");
  return [
    well("credential", `${identity.scheme} of ${tenantKey(identity.tenant)}, good for ${scopes}.`),
    well("access", `Let in ${because}.`),
  ];
}

async function look(
  { instances, directory }: ApiContext,
  { tenant }: Call,
): Promise<{ cluster: Check; instance: OpenClawInstance | undefined }> {
  try {
    return { cluster: well("cluster", "The Kubernetes API answers."), instance: await instances.get(tenant) };
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof KubeError)) throw error;
    const { code, message: found } = faultOf(error);
    const message = `${found}: what follows is what was known last, and may be old.`;
    const next_step = "Wait: it heals by itself. Ready instances go on serving.";
    const cluster: Check = { link: "cluster", status: "failed", reason: code, message, next_step };
    return { cluster, instance: directory.find(tenant) };
  }
}
