import * as z from "zod";
import { LOG_LEVELS } from "#lib/log.ts";
import {
  accessSchema,
  externalDatabaseSchema,
  ledgerCheckSchema,
  originsSchema,
  postgresSchema,
  proxiesSchema,
} from "./chart-database.ts";
import { oidcSchema } from "./chart-oidc.ts";
import { classSpecSchema, modelSchema, resourcesSchema } from "./class-spec.ts";
import { atomicList, dictionary, openObject, uniqueList } from "./collections.ts";
import { cidr, dnsLabel, dnsSubdomain, port } from "./scalars.ts";

/** A part of an object of Kubernetes that is passed on as it is. */
const passedOn = (what: string) => openObject(64).describe(what);
const labels = (what: string) => dictionary(z.string().max(4096).describe("A value."), 64).describe(what);
const peers = (what: string) => atomicList(passedOn("A peer, as in a NetworkPolicy."), 32).describe(what);

const replicas = (most: number, what: string) => z.int().min(0).max(most).describe(what);
const drainSeconds = z.int().min(0).max(3600).describe("How long open streams may go on when a pod is replaced.");

const providerSchema = z
  .strictObject({
    name: dnsLabel().describe("Name that classes use."),
    baseUrl: z
      .string()
      .max(2048)
      .regex(/^https?:\/\/[^\s/?#@\\]+(\/[^\s?#]*)?$/, "is not an http(s) URL without user, query and hash")
      .describe("URL of its OpenAI dialect, e.g. `https://models.example.org/v1`."),
    apiKey: z
      .string()
      .max(4096)
      .regex(/^[\x21-\x7e]+$/, "is not made of visible ASCII characters")
      .optional()
      .describe("Its key; kept in a Secret that the chart makes."),
    existingSecret: z
      .strictObject({
        name: dnsSubdomain().describe("Name of the Secret, in the namespace of the release."),
        key: z.string().min(1).max(253).describe("Key inside the Secret."),
      })
      .optional()
      .describe("A Secret of your own that holds its key, in place of `apiKey`."),
    timeoutSeconds: z.int().min(1).max(3600).optional().describe("How long it may be silent; 300 when absent."),
  })
  .describe("A model provider.");

/** The values of the chart `hatchery`; defaults are in its values.yaml. */
export const chartValuesSchema = z.strictObject({
  fullnameOverride: z
    .string()
    .max(40)
    .regex(/^([a-z]([-a-z0-9]*[a-z0-9])?)?$/, "is not a DNS label")
    .describe("Prefix of all names, in place of the release's."),
  image: z
    .strictObject({
      repository: z.string().max(400).describe("Repository of the server image; needed."),
      tag: z.string().max(128).describe("Tag; the chart's appVersion when empty."),
      pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).describe("When it is pulled."),
    })
    .describe("Image of operator, API and model gateway."),
  imagePullSecrets: atomicList(
    z.strictObject({ name: dnsSubdomain().describe("Name.") }).describe("A Secret."),
    8,
  ).describe("Secrets to pull that image with, in the namespace of the release."),
  tenantNamespace: z
    .strictObject({
      create: z.boolean().describe("Make it, with Pod Security `restricted`; an uninstall leaves it."),
      name: dnsLabel().describe("Its name."),
    })
    .describe("Namespace of the instances that users create through the API."),
  crds: z
    .strictObject({
      install: z.boolean().describe("Install and upgrade the kinds."),
      keep: z.boolean().describe("Leave them, and all instances, at an uninstall."),
    })
    .describe("The kinds OpenClawInstance and OpenClawClass."),
  keys: z
    .strictObject({
      existingSecret: z
        .string()
        .max(253)
        .regex(/^([a-z0-9]([-.a-z0-9]*[a-z0-9])?)?$/, "is not the name of a Secret")
        .describe(
          "A Secret with `OPENCLAW_ENCRYPTION_KEY` and `OA_INTERNAL_KEY`, and `OA_CONTROL_KEY` for `api.control`; generated once and kept when empty.",
        ),
    })
    .describe("Root key and internal key."),
  postgres: postgresSchema,
  externalDatabase: externalDatabaseSchema,
  access: accessSchema,
  oidc: oidcSchema,
  modelProviders: atomicList(providerSchema, 32).describe("Where models come from; at least one is needed."),
  standardClass: z
    .strictObject({
      create: z.boolean().describe("Make the class."),
      ...classSpecSchema.shape,
      image: z.string().max(512).describe("Runtime image; needed."),
      models: z.array(modelSchema).max(32).describe("Models that instances may use; at least one is needed."),
    })
    .describe("The class `standard`: everything beside `create` is the spec of an OpenClawClass."),
  logLevel: z.enum(LOG_LEVELS).describe("Least level that is logged."),
  operator: z
    .strictObject({
      replicas: replicas(2, "2 for a leader and a warm standby, or 1."),
      workers: z.int().min(1).max(256).describe("Instances worked on at a time."),
      watchNamespaces: uniqueList(dnsLabel().describe("A namespace; it must exist."), 100).describe(
        "Namespaces to work in, with rights in these alone beside reading classes; the whole cluster when empty.",
      ),
      gatewayRecheckSeconds: z
        .int()
        .min(1)
        .max(3600)
        .describe("About how long until a gateway that serves is called again."),
      resources: resourcesSchema,
    })
    .describe("The operator."),
  api: z
    .strictObject({
      replicas: replicas(100, "Pods that share the work."),
      service: z
        .strictObject({
          type: z.enum(["ClusterIP", "NodePort", "LoadBalancer"]).describe("Its type."),
          port: port().describe("Its port."),
          annotations: labels("Its annotations."),
        })
        .describe("The API's Service."),
      allowFrom: peers("Who may call the API; everyone when empty."),
      trustedProxies: proxiesSchema,
      allowedOrigins: originsSchema,
      control: z
        .strictObject({
          enabled: z.boolean().describe("Serve it on port 8081, behind a Service of its own."),
          allowFrom: peers("Who may call it; none when empty."),
        })
        .describe("The internal listener for first-party servers of the original system."),
      maxStreamsPerTenant: z.int().min(1).max(100_000).describe("Open streams of one tenant."),
      rate: z
        .strictObject({
          perMinute: z.int().min(1).max(1_000_000).describe("In the long run, each minute."),
          burst: z.int().min(1).max(1_000_000).describe("At once."),
        })
        .describe("Calls of one tenant to one replica."),
      database: z
        .strictObject({
          poolMax: z.int().min(1).max(1000).describe("Connections of one replica."),
          statementTimeoutMs: z.int().min(100).max(600_000).describe("Longest time of one statement."),
        })
        .describe("How the API uses Postgres."),
      drainSeconds,
      resources: resourcesSchema,
    })
    .describe("The API."),
  ledgerCheck: ledgerCheckSchema,
  modelGateway: z
    .strictObject({
      replicas: replicas(100, "Pods that share the work."),
      drainSeconds,
      providerPorts: atomicList(port().describe("A port."), 16).describe(
        "Ports of providers beside those of their URLs, such as the ports of in-cluster providers' pods.",
      ),
      resources: resourcesSchema,
    })
    .describe("The model gateway."),
  network: z
    .strictObject({
      policies: z.boolean().describe("Make NetworkPolicies for operator, API and model gateway."),
      dnsCidrs: atomicList(cidr({ linkLocal: true }).describe("Addresses."), 8).describe(
        "DNS servers of tenants that are not the pods of kube-dns.",
      ),
      kubernetesApi: z
        .strictObject({
          cidrs: atomicList(cidr().describe("Addresses."), 16).describe("Its addresses; any when empty."),
          ports: atomicList(port().describe("A port."), 8)
            .min(1)
            .describe("Its ports, after its Service was translated."),
        })
        .describe("The apiserver, for NetworkPolicies."),
    })
    .describe("What may be reached."),
  metrics: z
    .strictObject({
      allowFrom: peers("Who may scrape; none when empty."),
      serviceMonitor: z
        .strictObject({
          enabled: z.boolean().describe("Make a ServiceMonitor."),
          interval: z
            .string()
            .max(16)
            .regex(/^[0-9]+(ms|s|m)$/)
            .describe("How often it scrapes."),
          labels: labels("Its labels."),
        })
        .describe("For the Prometheus operator."),
    })
    .describe("Metrics of all processes."),
  podAnnotations: labels("Annotations of the control plane's pods."),
  priorityClassName: z.string().max(253).describe("PriorityClass of the control plane's pods."),
  nodeSelector: labels("Labels of nodes for the control plane."),
  tolerations: atomicList(passedOn("A toleration, as in a pod."), 16).describe("Taints the control plane tolerates."),
  affinity: passedOn("Affinity of the control plane's pods, as in a pod."),
});
