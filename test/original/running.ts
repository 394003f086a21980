import type { Failure } from "./failure.ts";

/** How an OpenClaw came to run, was said to, and was kept. */
export const RUNNING: readonly Failure[] = [
  {
    number: 1,
    broke: "`ready` without anything that runs",
    cure: "The status is derived from what is observed: a ready pod, and a gateway that answered its slot's token. Nobody can write it.",
    shownBy: {
      "operator/instance/status.test.ts": [
        "a status > is provisioning while nothing is wrong, and names the culprit once something is",
      ],
      "operator/probe/call-gateway.test.ts": ["an authenticated call of a gateway > takes %i for %s"],
      "operator/instance/gateway.test.ts": [
        "a ready pod whose gateway refuses the slot's token > is replaced, for it runs with other credentials",
        "a ready pod whose gateway is silent > is told of with what to do, and stays: its own probes pass, so a new one would not be better",
      ],
      "api/control/control.integration.test.ts": [
        "the row of a user > is the instance's status, whatever was written into it",
      ],
      "test/e2e/trouble.e2e.test.ts": [
        "a gateway > that falls silent behind green probes is told of, and when it speaks again",
      ],
    },
  },
  {
    number: 2,
    broke: "One sandbox shared by all users",
    cure: "Each instance has a pod, a volume, a Secret and an address of its own, and a call reaches the one of its credential.",
    shownBy: {
      "test/e2e/chat.e2e.test.ts": [
        "two users > have two pods, two volumes and two slots",
        "two users > each chat with their own",
      ],
      "test/e2e/isolation.e2e.test.ts": [
        "another user's sessions > can't be read or continued, whatever headers come along",
        "from inside a pod > the other pod, the apiserver and the metadata address don't, though they answer others",
      ],
      "test/attacks/cross-tenant.integration.test.ts": [
        "with an %s of their own, nobody gets at another tenant > by ids, on any route",
        "with an %s of their own, nobody gets at another tenant > by headers, on any route",
      ],
    },
  },
  {
    number: 6,
    broke: "A missing encryption key was found when a secret had to be stored, behind a row that existed already",
    cure: "Each process reads its whole environment before it does anything, and ends with the names of what is missing.",
    shownBy: {
      "api/config.test.ts": ["refuses %s=%s by name, without repeating it"],
      "api/main.integration.test.ts": ["the API as a process > does not start with %j, and names every fault"],
      "operator/main.integration.test.ts": [
        "the operator as a process > does not start with an unusable environment, and names every fault of it",
      ],
      "api/model-gateway/main.integration.test.ts": [
        "the model gateway as a process on a real apiserver > exits at once and names what is missing in its environment",
      ],
    },
  },
  {
    number: 7,
    broke: "A missing runtime URL was found at the first creation",
    cure: "There is none to configure: an instance's address is its pod's, as the operator observed it.",
    shownBy: {
      "api/instances/upstream.test.ts": [
        "the gateway of an instance > is at the pod's address, opened by the token of its slot under the key that made it",
      ],
      "operator/build/children.test.ts": ["children > have an address that selects the slot's pod"],
      "charts/environment.test.ts": [
        "what the chart tells each process is what the process asks for > and no variable that nobody reads",
      ],
    },
  },
  {
    number: 12,
    broke: "The service token that was stored for a user was never known to the user's runtime",
    cure: "Operator and API derive the same token from root key and slot, and a pod that refuses it is replaced.",
    shownBy: {
      "operator/build/children.test.ts": ["children > hold the slot's credentials, derived from the root key"],
      "api/routes/instance.integration.test.ts": [
        "a chat through the cluster > reaches the address in the status with the token of its slot",
      ],
      "operator/instance/plan.test.ts": [
        "the slot > moves to a newer root key with the next pod, and its pod in a turn, reached with the key it has until it is gone",
      ],
      "test/e2e/trouble.e2e.test.ts": ["a gateway > that started with other credentials than its slot's is replaced"],
    },
  },
  {
    number: 19,
    broke: "A step that failed left an instance `provisioning` for ever, and a retry gave the stuck row back",
    cure: "Each reconcile goes on from what is there, waiting has an end after which it is a fault with a name, and a retry is a new attempt.",
    shownBy: {
      "operator/instance/plan.test.ts": ["a plan > goes on from where it was cut off (%i writes done)"],
      "operator/instance/pod-verdict.test.ts": [
        "a pod that nobody begins with > that %s is a fault after five minutes",
      ],
      "operator/instance/storage.test.ts": [
        "a volume claim > that stays pending is a fault after a minute, unless no pod is wanted",
      ],
      "operator/main.integration.test.ts": [
        "the operator as a process > killed in the middle of creating twenty instances ends, restarted, in the same state with no doubles",
      ],
      "api/routes/instance.integration.test.ts": [
        "an instance > is answered when it failed, and tried again on request",
      ],
    },
  },
  {
    number: 20,
    broke: "`last_ready_at` was never set by a creation",
    cure: "The operator notes the time when it finds an instance ready, whatever made it so.",
    shownBy: {
      "operator/instance/status.test.ts": ["a status > of a serving instance is whole, and what the schema allows"],
      "api/routes/instance.integration.test.ts": ["an instance > is told as its status says"],
    },
  },
  {
    number: 21,
    broke: "Asking for the status started the gateway, and stopping it booted the container first",
    cure: "Reads read; what is to run stands in the spec, and to stop is to delete the pod.",
    shownBy: {
      "api/routes/runtime.integration.test.ts": [
        "a look > at a stopped one starts nothing and changes nothing",
        "a look > at none makes none",
        "a restart > of a stopped one starts nothing",
      ],
      "operator/instance/plan.test.ts": ["a pod > goes when the instance is stopped, and everything else stays"],
      "operator/lifecycle.integration.test.ts": [
        "a changed spec > stops the pod and keeps the volume, and starts it again",
      ],
    },
  },
  {
    number: 22,
    broke:
      "A restart put the last backup over newer files, and a restore that failed was then backed up over the only good copy",
    cure: "The volume outlives every pod, and nothing restores by itself: a restart finds the files as they were.",
    shownBy: {
      "runtime-image/runtime.integration.test.ts": [
        "the runtime image, as a pod runs it > goes on with the same session on the same volume",
      ],
      "test/e2e/chat.e2e.test.ts": ["a chat > goes on in the same session after its pod was killed"],
      "test/e2e/agent-tools.e2e.test.ts": [
        "the tools of an agent, by its own key > openclaw_restart: after its owner's yes, another pod on the same volume with the same sessions",
      ],
      "operator/build/pod.test.ts": ["the pod > is the one in pod.golden.json (UPDATE_GOLDEN=1 writes it anew)"],
      "api/routes/runtime.integration.test.ts": ["a backup is refused, since there would be none"],
    },
    later:
      "Versioned, verified backups and an explicit restore; until then a backup is refused, and no copy can be written over.",
  },
  {
    number: 23,
    broke: "The workspace beyond skills (memory, identity) was never saved",
    cure: "OpenClaw can write nowhere but to its volume, so all that it knows is there.",
    shownBy: {
      "runtime-image/runtime.integration.test.ts": [
        "the runtime image, as a pod runs it > chats and runs tools with only /data and /tmp writable, and stops when told",
        "the runtime image, as a pod runs it > goes on with the same session on the same volume",
      ],
      "api/routes/runtime.integration.test.ts": ["a backup is refused, since there would be none"],
    },
    later: "Backups of the whole volume; until then nobody is told that there is one.",
  },
  {
    number: 24,
    broke: "The scheduled backup never saved a tenant",
    cure: "No backup is claimed that is not made: the route refuses, and `lastBackup` is null.",
    shownBy: {
      "api/routes/runtime.integration.test.ts": ["a backup is refused, since there would be none"],
      "test/e2e/agent-tools.e2e.test.ts": [
        "the tools of an agent, by its own key > openclaw_backup_now: not in this version, and says so",
      ],
    },
    later: "A schedule and a result for each instance, with the backups.",
  },
  {
    number: 25,
    broke:
      "A deletion removed the record alone; later a runtime out of reach blocked it, and backups brought old state back",
    cure: "Children go with the instance by their owner, asking no gateway; its volume stays or goes as the deletion policy says.",
    shownBy: {
      "operator/lifecycle.integration.test.ts": [
        "a changed spec > lets the volume go with the instance only under deletionPolicy Delete",
      ],
      "test/e2e/instance.e2e.test.ts": [
        "an instance applied with kubectl > leaves nothing but its volume when it is deleted",
      ],
      "operator/refusals.integration.test.ts": [
        "a volume that was kept > goes so with neither gateway nor operator to ask, and leaves nothing to the next instance of its owner",
        "a volume that was kept > is adopted, with its slot, by a later instance of the same owner and name",
      ],
      "api/control/control.integration.test.ts": ["the row of a user > goes with its secrets"],
    },
    later: "What becomes of backups at a deletion is decided with the backups.",
  },
  {
    number: 26,
    broke: "Ids that differ by case or punctuation could become one name",
    cure: "Names are hashes of the tenant's key, and the owner stands in a field that may not change.",
    shownBy: {
      "api/instances/summary.test.ts": ["names a tenant's instance by a hash nobody can collide with"],
      "api/routes/instance.integration.test.ts": [
        "an instance > of another owner under the same name is never touched",
      ],
      "api/access/gate.integration.test.ts": [
        "a human > is no other one whose id differs by case, nor an agent of that id",
      ],
      "crds/lifecycle.integration.test.ts": ["what may not change > %s"],
    },
  },
  {
    number: 29,
    broke: "A gateway could start without a token",
    cure: "The token is generated before the pod, which takes it from the Secret and ends without it.",
    shownBy: {
      "runtime-image/runtime.integration.test.ts": [
        "the runtime image, as a pod runs it > ends with OpenClaw's own words when it is given %s",
      ],
      "operator/instance/plan.test.ts": ["a plan > makes what is missing, in the order a pod needs it"],
      "operator/build/pod.test.ts": ["the pod > gets the credentials by reference only"],
    },
  },
  {
    number: 33,
    broke: "One cap for the number of runtimes of the whole platform",
    cure: "Room is the cluster's: a quota that is used up is told of by name, and who waits goes on once there is room.",
    shownBy: {
      "operator/refusals.integration.test.ts": ["what keeps an instance from running > is a quota without room"],
      "test/e2e/trouble.e2e.test.ts": [
        "a namespace > without room is told of, and a name that is taken too",
        "an instance that something stood in the way of > goes on by itself once that is gone",
      ],
      "test/e2e/operator.e2e.test.ts": [
        "the operator killed while it creates twenty instances > brings all of them to ready once it is back, each with one set of children, and makes none anew",
      ],
    },
    later: "Instances that sleep while nobody uses them.",
  },
];
