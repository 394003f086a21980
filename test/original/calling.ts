import type { Failure } from "./failure.ts";

/** How callers came in, and what they were answered. */
export const CALLING: readonly Failure[] = [
  {
    number: 8,
    broke: "`Only HTML requests are supported here`: calls of the API fell into the router of the pages",
    cure: "The API serves no pages, and answers every path that it does not know by a 404 in JSON.",
    shownBy: {
      "api/http/requests.test.ts": [
        "a path > that nobody knows is a 404 in JSON, also for a browser: %s %s",
        "every answer > of %s for %s has our envelope, an id and no-store",
        "every answer > of %s for %s has OpenAI's shape when it is an error",
      ],
      "api/original-vectors.test.ts": [
        "the API's base is normalised > %s is the same resource or a 404, in JSON either way",
      ],
    },
    later: "That the web console names the API's base, with the console.",
  },
  {
    number: 10,
    broke: "Errors that said nothing: swallowed bodies, steps that were not named",
    cure: "Each error has a code, its operation and step, and the id under which the log has the rest; conditions say the same.",
    shownBy: {
      "api/http/requests.test.ts": [
        "every answer > opens an operation's error with its name and step, and says only who to a stranger",
        "every answer > takes over the request id %s: %s",
      ],
      "api/proxy/failures.test.ts": [
        "an error of the gateway > %d keeps its status and its words, in our envelope",
        "an error of the gateway > without a readable body still has its status",
      ],
      "api/routes/instance.integration.test.ts": [
        "an instance > is answered when it failed, and tried again on request",
      ],
      "api/routes/diagnostics.integration.test.ts": [
        "diagnostics > name a broken %s in the operator's words, with what to do",
        "diagnostics > call the gateway themselves, and tell of one that is gone, a stranger or silent",
      ],
      "test/e2e/failure.e2e.test.ts": [
        "what keeps a pod from serving is told > in OpenClaw's own words when it refuses its configuration, and is over once that is put right",
        "what keeps a pod from serving is told > when its image is nowhere to be had",
      ],
    },
  },
  {
    number: 11,
    broke: "`null` meant `there is none` as well as `it can't be told`",
    cure: "Null is an answer of the cluster; without the cluster the answer is 503 and when to come back.",
    shownBy: {
      "api/routes/outage.integration.test.ts": [
        "without the apiserver > an empty cache is never taken for an empty cluster",
        "without the apiserver > a filled one says 503 once it can't be confirmed, goes on serving who was ready, and heals by itself",
      ],
      "api/instances/upstream.test.ts": [
        "the look-up > never says %s while the cluster is away",
        "the look-up > says none when there is none for sure",
      ],
      "api/routes/instance.integration.test.ts": [
        "an instance > is none, then made once, whatever is sent along and however often",
      ],
    },
  },
  {
    number: 13,
    broke: "A CDN served old 401s; the internal key stood in URLs",
    cure: "Every answer forbids to be stored, and a credential in a URL is none.",
    shownBy: {
      "api/http/requests.test.ts": [
        "every answer > of %s for %s has our envelope, an id and no-store",
        "a path > with a credential in it is one without a credential",
      ],
      "api/proxy/streaming.test.ts": [
        "a streamed chat > hands on the head before the first byte, and each event before the next exists",
      ],
      "api/proxy/isolation.test.ts": [
        "what a caller sends beside its credential > lets no header of the gateway out but the allowed ones",
      ],
    },
  },
  {
    number: 14,
    broke: "API tokens as bearers were compared with the internal key, and always refused",
    cure: "Each kind of credential is read by its own scheme alone, and two in one request are refused.",
    shownBy: {
      "api/auth/authenticator.test.ts": [
        "a credential > in %j is one of its scheme alone",
        "a credential > beside another one is refused, and neither is looked at: %j",
        "a credential > counts for nothing beside a first-party server's key",
      ],
      "api/routes/tokens.integration.test.ts": [
        "an API token > acts for its owner, by either header, and is told once",
      ],
      "api/original-vectors.test.ts": [
        "bearer beats service header > and the internal key as a bearer is none, so that no token is ever compared with it",
      ],
    },
  },
  {
    number: 17,
    broke: "A list of devices that could not be read was empty",
    cure: "A list is the gateway's or an error with its reason.",
    shownBy: {
      "api/routes/devices.test.ts": [
        "the list of devices > is never empty when the gateway %s",
        "the list of devices > is never empty when it is a %i with %j",
      ],
      "api/gateway/devices.test.ts": ["the gateway's devices > are never 'none' when the answer is %s"],
      "api/gateway/pairing.test.ts": ["the requests in a channel > are never 'none' when the answers are %s"],
      "api/routes/pairing.test.ts": ["the senders of a channel > are never none when the image can't tell the codes"],
      "api/routes/sessions.test.ts": ["is never 'no such session' for a list"],
    },
  },
  {
    number: 27,
    broke: "The id of a device's request was put into a shell command",
    cure: "No command is run: ids are checked by a pattern, and reach the gateway as parameters of a call.",
    shownBy: {
      "api/routes/devices.test.ts": [
        "a decision > about the request %s is refused before anybody is asked",
        "a decision > lets a device in",
        "a device > has an id that is no path",
      ],
      "api/routes/pairing.test.ts": ["the senders of a channel > of %s are refused before anybody is asked"],
      "runtime-image/plugin/bridge/rpc.test.ts": [
        "the bridge > passes method and params on and answers with the payload",
      ],
    },
  },
  {
    number: 30,
    broke: "Chats, tools, agents and API tokens went around the access gate; scopes were ignored, and sign-up was open",
    cure: "Every route says what it asks for, and one pipeline asks for it: credential, scope, access and rate.",
    shownBy: {
      "api/routes/guards.test.ts": [
        "the table of routes > leaves open what anybody may call, and nothing else",
        "the table of routes > asks for a scope wherever somebody has to be let in, and for admins' where it is theirs",
        "every guarded route > answers 401 without a credential",
        "every guarded route > answers 403 to a credential that lacks its scope, whatever others it has",
        "every guarded route > answers 403 to somebody who is not let in",
      ],
      "api/access/gate.integration.test.ts": [
        "an agent > goes with its owner, whatever was decided about it",
        "an agent > that nobody owns needs a decision of its own",
      ],
      "api/routes/tokens.integration.test.ts": [
        "an API token > is good for its scopes alone",
        "an admin's token > is worth nothing once its owner is shut out",
      ],
      "api/routes/agents.integration.test.ts": [
        "an agent > makes no credentials and no agents, whatever its key is good for",
        "an owner > has as many agents and keys as there may be, however many are made at once",
      ],
      "api/http/requests.test.ts": [
        "a tenant's limit > refuses the third open call, of this tenant alone, and frees places as calls end",
      ],
    },
  },
  {
    number: 34,
    broke: "Whether a provision needed a yes depended on the screen",
    cure: "The route itself says what an agent may not do alone, and the answer waits for its owner whoever asks and how.",
    shownBy: {
      "api/routes/gated.test.ts": [
        "what an agent may not do by itself > %s waits for a human, who is told of what",
        "what an agent may not do by itself > is not to look: %s",
      ],
      "api/approvals/approvals.integration.test.ts": [
        "a gated call of an agent > asks, waits, and runs once after a yes",
        "a gated call of an agent > is bound to tenant, tool and input",
      ],
      "test/e2e/agent-tools.e2e.test.ts": [
        "the tools of an agent, by its own key > openclaw_provision: after its owner's yes, an OpenClaw of the agent's own",
      ],
    },
  },
  {
    number: 36,
    broke:
      "Joining the waitlist told anybody who was approved; access went by a claim that need not be there, admin rights by another",
    cure: "A join has one answer, an address counts only if it is vouched for, and access and admin rights read the same record.",
    shownBy: {
      "api/routes/access.integration.test.ts": [
        "the waitlist > answers the same whatever was there before, and keeps that",
        "the waitlist > is joined by one address 30 times at once, and by others still",
      ],
      "api/auth/oidc-identity.test.ts": [
        "an address > counts that the issuer has verified: %j",
        "an address > does not count otherwise, and its user signs in without: %#",
      ],
      "api/access/gate.integration.test.ts": [
        "a human > is let in by an approved address that is vouched for, until the approval is taken back",
        "a human > keeps the address on record when they come without one, and loses the old one's approval with a new one",
        "a human > is an admin by id, by an address that is or was vouched for, and by a group they come with",
      ],
    },
  },
  {
    number: 37,
    broke: "An instance in `error` could not be tried again, and the status on the screen was old",
    cure: "The watch tells every change as it comes, and creating or starting a failed instance is another try.",
    shownBy: {
      "api/routes/instance.integration.test.ts": [
        "a watch > tells the present state and each change, to its own user only",
        "a watch > breaks silence, and sends its readers elsewhere when the process stops",
        "an instance > is answered when it failed, and tried again on request",
      ],
      "api/routes/runtime.integration.test.ts": ["a start > gives a failed one another try"],
    },
    later: "The screen that shows it, with the web console.",
  },
];
