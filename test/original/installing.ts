import type { Failure } from "./failure.ts";

/** How the parts of the system found, or did not find, each other. */
export const INSTALLING: readonly Failure[] = [
  {
    number: 3,
    broke: "500s, since the control plane's URL led to another deployment than the one in use",
    cure: "There is one source of truth and no URL to it: the API shows and changes the objects that the operator works on.",
    shownBy: {
      "api/routes/instance.integration.test.ts": [
        "an instance > made by the platform team serves its owner",
        "an instance > is told as its status says",
      ],
      "api/control/control.integration.test.ts": [
        "the row of a user > is the instance's status, whatever was written into it",
      ],
      "charts/environment.test.ts": [
        "what the chart tells each process is what the process asks for > and no variable that nobody reads",
      ],
    },
  },
  {
    number: 4,
    broke: "401s between services, since one key was copied by hand to four places",
    cure: "No service presents a shared key to another: tokens of gateways are derived on both sides, and what is shared stands in one Secret that all read.",
    shownBy: {
      "charts/environment.test.ts": [
        "keys > stand in one Secret each and have one name there, in the environment and for every process",
        "keys > are the same in the Secret and in the checksums that would replace pods",
      ],
      "operator/build/children.test.ts": ["children > hold the slot's credentials, derived from the root key"],
      "api/instances/upstream.test.ts": [
        "the gateway of an instance > is at the pod's address, opened by the token of its slot under the key that made it",
      ],
      "charts/install.integration.test.ts": [
        "the life of a release > keeps a key ring that a person made of the key, and rolls the pods that hold it",
      ],
    },
  },
  {
    number: 5,
    broke: "One secret under two names",
    cure: "A key is called the same in its Secret, in the environment and in every process.",
    shownBy: {
      "charts/environment.test.ts": [
        "keys > stand in one Secret each and have one name there, in the environment and for every process",
        "what the chart tells each process is what the process asks for > and no variable that nobody reads",
      ],
    },
  },
  {
    number: 9,
    broke: "Routes that were missing on the other side of a hop were `INTERNAL SERVER ERROR`",
    cure: "The hop is gone: what a route needs is a function. Where a gateway lacks a route, the answer names it.",
    shownBy: {
      "api/routes/index.test.ts": [
        "the routes > are those of the original system, and more",
        "the routes > each lead to something: none is listed that the router does not know",
      ],
      "api/routes/devices.test.ts": ["the list of devices > names the image that can't be asked"],
    },
  },
  {
    number: 35,
    broke:
      "Parts had to be deployed in an order, and some were not; the documents told of other variables and defaults",
    cure: "One chart brings everything in one version, and the references are generated from what the processes and the apiserver check.",
    shownBy: {
      "charts/install.integration.test.ts": [
        "the life of a release > installs on an empty cluster, kinds, their first object and all",
        "the life of a release > changes nothing when it is upgraded to itself",
        "the life of a release > takes a kind that grew: the CRD is an ordinary object of the release",
      ],
      "charts/environment.test.ts": [
        "what the chart tells each process is what the process asks for > and no variable that nobody reads",
      ],
      "crds/generate/outputs.test.ts": ["generated files > %s is what the schemas say"],
      "test/up/up.e2e.test.ts": ["brings everything to somebody's own cluster and ends in a chat"],
    },
  },
  {
    number: 38,
    broke: "Routes of the API led to others that no longer existed",
    cure: "One router has every route, each answers by itself, and the list of them is made from it.",
    shownBy: {
      "api/routes/index.test.ts": [
        "the routes > each lead to something: none is listed that the router does not know",
        "the routes > are all told of by GET /api/openclaw",
        "the routes > have one owner each: no two routes, and no two operations of one name",
      ],
      "api/routes/guards.test.ts": ["every guarded route > is reached by whoever has what it asks for"],
      "api/routes/tokens.integration.test.ts": ["an API token > is seen and revoked by its owner alone"],
    },
    gone: "Projects and invoices, which no route is left of.",
  },
];
