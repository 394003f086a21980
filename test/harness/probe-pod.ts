import type { Cluster } from "#test/cluster/cluster.ts";
import { CommandError } from "#test/cluster/shell.ts";

/** A pod that serves HTTP on 8080 and can be asked to look around, see `probe`. */
export interface ProbePodOptions {
  image: string;
  namespace: string;
  name: string;
  labels?: Record<string, string>;
  /** Claim that is mounted at /data. */
  claim?: string;
  /** Part of the pod's spec, laid over the rest. */
  spec?: object;
}

/** The pod as an object: it passes the restricted Pod Security standard. */
export function probePod({ image, namespace, name, labels, claim, spec }: ProbePodOptions): object {
  const container = {
    name: "probe",
    image,
    imagePullPolicy: "Never",
    args: ["serve", "8080"],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    ...(claim === undefined ? {} : { volumeMounts: [{ name: "data", mountPath: "/data" }] }),
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name, labels: { app: name, ...labels } },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        runAsGroup: 1000,
        fsGroup: 1000,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [container],
      ...(claim === undefined ? {} : { volumes: [{ name: "data", persistentVolumeClaim: { claimName: claim } }] }),
      ...spec,
    },
  };
}

/** Creates pods and waits until all are ready. */
export async function startPods(cluster: Cluster, pods: readonly ProbePodOptions[]): Promise<void> {
  await cluster.apply(pods.map((pod) => JSON.stringify(probePod(pod))).join("\n---\n"));
  for (const { namespace, name } of pods) {
    await cluster.kubectl("wait", "--for=condition=Ready", "--timeout=120s", "-n", namespace, `pod/${name}`);
  }
}

/** What a probe in a pod said: its output, or the error it ended with. */
export async function probe(
  cluster: Cluster,
  pod: { namespace: string; name: string },
  ...args: string[]
): Promise<{ ok: boolean; text: string }> {
  try {
    const text = await cluster.kubectl("exec", "-n", pod.namespace, pod.name, "--", "/probe", ...args);
    return { ok: true, text: text.trim() };
  } catch (error) {
    if (error instanceof CommandError && error.code !== undefined) return { ok: false, text: error.stderr.trim() };
    throw error;
  }
}
