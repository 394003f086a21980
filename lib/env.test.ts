import { describe, expect, it } from "vitest";
import * as z from "zod";
import { ConfigError, envPort, envUrl, parseEnv } from "./env.ts";

const schema = z.object({ PORT: envPort.default(8080), URL: envUrl.optional(), BOTH: envPort.optional().default(1) });

describe("parseEnv", () => {
  it("takes defaults for what is empty or unset", () => {
    expect(parseEnv(schema, { PORT: "" })).toEqual({ PORT: 8080, BOTH: 1 });
  });

  it.each(["PORT", "BOTH"])("says what %s expects, through its default", (name) => {
    expect(() => parseEnv(schema, { [name]: "abc" })).toThrow(/ {2}\w+: .* \(expects a TCP port, 0 to 65535\)/);
  });

  it("takes http(s) URLs without the slash at their end", () => {
    expect(parseEnv(schema, { URL: "https://models.example/v1/" }).URL).toBe("https://models.example/v1");
  });

  it.each(["ftp://a", "https://ann:pw@a/v1", "https://ann@a", "https://a/v1?key=k", "https://a/v1?", "https://a/#x"])(
    "refuses the URL %s without repeating it",
    (url) => {
      const parse = () => parseEnv(schema, { URL: url });
      expect(parse).toThrow(ConfigError);
      expect(parse).toThrow("URL: ");
      expect(parse).not.toThrow(url);
    },
  );
});
