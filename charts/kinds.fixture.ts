import type { Rendered } from "./chart.fixture.ts";

/* The parts of Kubernetes' kinds that the chart always renders, so that tests need not ask whether they are there. */

export interface EnvironmentVariable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef?: { name: string; key: string }; fieldRef?: { fieldPath: string } };
}

export interface Container {
  name: string;
  command?: string[];
  args?: string[];
  env: EnvironmentVariable[];
  volumeMounts?: object[];
}

export interface Deployment extends Rendered {
  spec: {
    replicas: number;
    template: {
      metadata: { labels: Record<string, string>; annotations: Record<string, string> };
      spec: {
        initContainers?: Container[];
        containers: Container[];
        volumes?: object[];
        topologySpreadConstraints?: object[];
      };
    };
  };
}

export interface CronJob extends Rendered {
  spec: { schedule: string; jobTemplate: { spec: { template: Deployment["spec"]["template"] } } };
}

export interface Role extends Rendered {
  rules: { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }[];
}

export interface NetworkPolicy extends Rendered {
  spec: {
    podSelector: { matchLabels: Record<string, string> };
    policyTypes: string[];
    ingress: object[];
    egress: { ports: { protocol: string; port: number }[]; to?: { ipBlock?: { cidr: string } }[] }[];
  };
}

export interface Secret extends Rendered {
  data: Record<string, string>;
}
