import { describe, expect, it } from "vitest";
import { container, ended, pod } from "./pod-status.fixture.ts";
import { judgePod } from "./pod-verdict.ts";
import { NOW } from "./view.fixture.ts";

const pull = "rpc error: code = NotFound desc = no such image";

describe("the reason of a fault", () => {
  it("has nothing of what was said at a level below warn, whole or cut", () => {
    const log = [
      'my secret plans"}',
      '{"level":"info","message":"my secret plans"}',
      '{"message":"my secret plans"}',
      '{"level":"info","message":"my secret',
      '{"level":"warn","message":"disk is slow"}',
      "Error: boom",
    ];
    const { message } = judgePod(pod(ended(1, log.join("\n"))), NOW);
    expect(message).toContain("disk is slow | Error: boom");
    expect(message).not.toContain("secret");
    const cut = `my secret plans ${"x".repeat(2040)}\nError: boom`;
    expect(judgePod(pod(ended(1, cut)), NOW).message).not.toMatch(/secret|xxx/);
  });

  it("is cut between characters", () => {
    const { message } = judgePod(pod(ended(1, `🦀🦀${"x".repeat(999)}`)), NOW);
    expect(message.isWellFormed()).toBe(true);
  });

  it("does not change with the kubelet's turns between a pull and the pause after it", () => {
    const waiting = (reason: string, message: string) => container({ state: { waiting: { reason, message } } });
    const failed = judgePod(pod(waiting("ErrImagePull", pull)), NOW);
    const paused = judgePod(
      pod(waiting("ImagePullBackOff", `Back-off pulling image "img:1": ErrImagePull: ${pull}`)),
      NOW,
    );
    expect(paused).toEqual(failed);
  });

  it("is OpenClaw's own words, without the clothes of its log", () => {
    const log = [
      'ut off half a line"}',
      '{"level":"error","message":"Invalid config at /config/openclaw.json"}',
      "",
      "exiting",
    ].join("\n");
    const { message } = judgePod(pod(ended(78, log)), NOW);
    expect(message).toContain("Invalid config at /config/openclaw.json | exiting");
    expect(message).not.toContain('"level"');
  });
});
