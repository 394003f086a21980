import { expect, it } from "vitest";
import { missingPackages } from "./packages.ts";

it("finds programs on the path and in the folders of system programs, and files by their path", () => {
  const missing = missingPackages(
    [
      ["bash", "bash"],
      ["passwd", "useradd"],
      ["base-files", "/etc/os-release"],
      ["nowhere", "no-such-program"],
      ["nothing", "/no/such/file"],
    ],
    "/usr/bin:/bin",
  );
  expect(missing.map(([name]) => name)).toEqual(["nowhere", "nothing"]);
});
