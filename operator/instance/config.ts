import { type OpenClawClass, type OpenClawInstance, REASON, STEP } from "#crds/index.ts";
import { shorten } from "#lib/shorten.ts";
import { privateDestinations } from "../build/network-policy.ts";
import { buildOpenClawConfig, renderOpenClawConfig } from "../build/openclaw-config.ts";
import { fails, holds, unknown, type Verdict } from "./verdict.ts";

/** Of the fields that are refused, enough to begin with. */
const NAMES_MAX = 1_000;

/** The rendered configuration, absent when the spec allows none, and why. */
export interface RenderedConfig {
  readonly text: string | undefined;
  readonly configValid: Verdict;
  readonly modelConfigured: Verdict;
}

/** Of each class as it is, by what of an instance goes into it: most instances ask for nothing of their own. */
const rendered = new WeakMap<OpenClawClass, Map<string, RenderedConfig>>();
const MAX_RENDERED = 1_000;

/** Renders an instance's OpenClaw configuration, or says by which field it cannot be. */
export function renderConfig(instance: OpenClawInstance, plan: OpenClawClass, modelGatewayUrl: string): RenderedConfig {
  const { model, gateway, network } = instance.spec;
  const key = JSON.stringify([modelGatewayUrl, model, gateway, network]);
  const known = rendered.get(plan) ?? new Map<string, RenderedConfig>();
  if (known.size >= MAX_RENDERED) known.clear();
  const config = known.get(key) ?? render(instance, plan, modelGatewayUrl);
  rendered.set(plan, known.set(key, config));
  return config;
}

function render(instance: OpenClawInstance, plan: OpenClawClass, modelGatewayUrl: string): RenderedConfig {
  const { models, defaultModel: classDefault, agent, gateway } = plan.spec;
  const wanted = instance.spec.model?.default ?? classDefault ?? models[0]?.name;
  if (wanted === undefined || !models.some(({ name }) => name === wanted)) {
    const known = models.map(({ name }) => name).join(", ");
    const message = `The class ${plan.metadata.name} has no model "${wanted ?? ""}"; it has: ${known || "none"}. Name one of them in model.default.`;
    return {
      text: undefined,
      configValid: unknown("Waits for a model."),
      modelConfigured: fails(STEP.Model, REASON.ModelNotFound, message),
    };
  }
  const modelConfigured = holds(`New sessions use the model ${wanted}.`);
  const { config, forbidden } = buildOpenClawConfig({
    className: plan.metadata.name,
    models,
    defaultModel: wanted,
    exec: agent.exec,
    modelGatewayUrl,
    toolsAllow: instance.spec.gateway?.toolsAllow,
    toolsDeny: instance.spec.gateway?.toolsDeny,
    classConfig: gateway?.config,
    instanceConfig: instance.spec.gateway?.config,
  });
  const refused = [...forbidden.map((path) => `gateway.config.${path}`), ...privateDestinations(instance)];
  if (refused.length > 0) {
    const message = `These belong to the operator or the class and may not be set: ${shorten(refused.join(", "), NAMES_MAX)}. Remove them; until then what runs stays as it is.`;
    return { text: undefined, configValid: fails(STEP.Config, REASON.ForbiddenConfigKey, message), modelConfigured };
  }
  return { text: renderOpenClawConfig(config), configValid: holds("The configuration is rendered."), modelConfigured };
}
