import type { Failure } from "./failure.ts";

/** How turns with an OpenClaw went wrong. */
export const TALKING: readonly Failure[] = [
  {
    number: 15,
    broke:
      "A chat answered 200 and then nothing, for hours: no model key, a configuration that the gateway refused, a hidden status",
    cure: "Configurations and credentials are judged before a turn, and the gateway's status, words and bytes are passed on as they come.",
    shownBy: {
      "api/proxy/failures.test.ts": [
        "an error of the gateway > %d keeps its status and its words, in our envelope",
        "an error of the gateway > 401 of the model provider is the provider's",
        "a gateway that fails > before an answer, after the call arrived: 502, and an SDK is told not to try again",
      ],
      "api/proxy/streaming.test.ts": [
        "a streamed chat > hands on the head before the first byte, and each event before the next exists",
        "a streamed chat > shows a cut answer as cut, never as a whole one",
      ],
      "api/proxy/patience.test.ts": [
        "a turn > is cut, visibly, once the gateway has said nothing for longer than OpenClaw may work",
        "a turn > that the gateway does not begin to answer is a 504, not a silence",
      ],
      "api/model-gateway/config.test.ts": [
        "the configuration of the model gateway > names the variable of a provider's key that is not set, and the provider",
      ],
      "api/model-gateway/provider-trouble.test.ts": [
        "trouble at the provider > says that the credential was refused without the provider's words about it",
        "trouble at the provider > answers 504 when it stays silent, and cuts a stream that falls silent",
      ],
      "operator/instance/config-check.test.ts": [
        "a changed release of an instance that serves > that OpenClaw refuses replaces nothing, and is told in its own words",
      ],
      "operator/refusals.integration.test.ts": [
        "what keeps an instance from running > is a model that the class does not have",
      ],
    },
  },
  {
    number: 16,
    broke: "A chat that was refused with 401 went on with another model, and said nothing",
    cure: "A refusal is the answer: neither the API nor the model gateway has anything to fall back on.",
    shownBy: {
      "api/proxy/failures.test.ts": [
        "an error of the gateway > 401 is never the caller's: somebody else lives at that address (%s)",
        "an error of the gateway > 401 of the model provider is the provider's",
      ],
      "api/model-gateway/provider-trouble.test.ts": [
        "trouble at the provider > says that the credential was refused without the provider's words about it",
        "trouble at the provider > is not hidden by asking another one",
        "trouble at the provider > answers 502 when it can't be reached or is not configured",
      ],
    },
    gone: "The assistant inside the web application that chats fell back to.",
  },
  {
    number: 18,
    broke: "The last text came twice, since events that repeat it were appended, and a nested error was ignored",
    cure: "Streams are passed on unchanged and read by the type of each event: deltas are text, a failure is raised.",
    shownBy: {
      "test/up/turn.test.ts": [
        "gives each word once, though the events that end a part repeat it whole",
        "says that a turn failed, and why",
        "takes no half turn for a whole one",
      ],
      "api/original-vectors.test.ts": [
        "server-sent events, through the API and read by type > two deltas and [DONE] are their concatenation, also with the text once more at the end",
        "server-sent events, through the API and read by type > an error payload is an error, in its own words",
      ],
      "api/proxy/streaming.test.ts": ["a streamed chat > changes no byte, however the gateway cuts them"],
      "api/routes/openai-sdk.test.ts": ["the openai package > streams a response"],
    },
  },
  {
    number: 28,
    broke: "Providers' keys went with every request, though they were read at the start alone",
    cure: "Only the model gateway has them, from a Secret; no request and no tenant's pod carries one, and a new key is a new pod of the gateway.",
    shownBy: {
      "charts/environment.test.ts": ["keys > of providers stand in no pod and no other object but their Secret"],
      "charts/workloads.test.ts": ["a change of > %s replaces the pods it concerns"],
      "api/model-gateway/app.test.ts": [
        "a chat completion through the gateway > reaches the provider under its own name of the model and with its own key only",
      ],
      "api/proxy/isolation.test.ts": [
        "what a caller sends beside its credential > %s %s: no header but the allowed ones reaches the gateway",
      ],
      "operator/build/pod.test.ts": ["the pod > gets the credentials by reference only"],
    },
  },
  {
    number: 31,
    broke: "A thread that was `running` when its process died stayed so, and refused every message",
    cure: "A thread has no such flag, and a turn's place is a count in the process that serves it, gone with either.",
    shownBy: {
      "api/http/requests.test.ts": [
        "a tenant's limit > refuses the third open call, of this tenant alone, and frees places as calls end",
      ],
      "api/routes/messages.integration.test.ts": [
        "messages > of 50 writers at a time, each sent twice through two replicas, are all there once and in one order",
      ],
      "test/outages/replicas.outage.test.ts": [
        "one of two replicas killed, then the other drained: no request fails that is repeated, no stream pretends to be whole",
      ],
    },
    later: "A chat that runs on the server, whose hold of a thread will be a lease that ends.",
  },
  {
    number: 32,
    broke: "The gateway worked on after its client had left, and every turn was cut after 120 s",
    cure: "Who leaves ends the work behind it; a stream has no longest time, only a longest silence of the gateway, in which its client hears a word each 15 s.",
    shownBy: {
      "api/proxy/streaming.test.ts": [
        "a streamed chat > stops the gateway's work when the client leaves in the middle",
        "a streamed chat > stops the gateway's work when the client leaves before any answer",
        "a streamed chat > says a word into silence, between events only",
      ],
      "api/proxy/patience.test.ts": [
        "a turn > lasts for hours, as long as the gateway says something every ten minutes",
      ],
      "api/model-gateway/app.test.ts": [
        "a chat completion through the gateway > ends the provider's call when the client leaves a %s",
      ],
      "test/e2e/chat.e2e.test.ts": ["a chat > stops the model call within two seconds when its client leaves"],
    },
  },
];
