import { chmod, chown, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { waitFor } from "#test/cluster/wait.ts";
import { freePort } from "#test/harness/postgres.ts";
import { type Container, makeVolume, mountImage, type Rootfs, startContainer } from "./container.ts";
import { ensurePostgresImage } from "./images.ts";

/** Only ends a test that hangs: the image is built when need be. */
const BUILD_LIMIT_MS = 1_200_000;
const UID = 999;
const OWNER = { POSTGRES_USER: "hatchery", POSTGRES_PASSWORD: "it's a pass/word", POSTGRES_DB: "hatchery" };

/** What the chart relies on, of this image as of the official one. */
describe("the Postgres image", () => {
  let rootfs: Rootfs;
  let volume: string;
  let sockets: string;
  let port: number;
  const started: Container[] = [];

  beforeAll(async () => {
    rootfs = await mountImage(await ensurePostgresImage());
  }, BUILD_LIMIT_MS);
  afterAll(() => rootfs?.remove());
  beforeEach(async () => {
    [volume, sockets, port] = [await makeVolume(UID), await makeVolume(UID), await freePort()];
  });
  afterEach(async () => {
    for (const container of started.splice(0)) {
      container.kill();
      await container.exited;
    }
    for (const folder of [volume, sockets]) await rm(folder, { recursive: true });
  });

  async function start(env: Readonly<Record<string, string>>): Promise<Container> {
    const mounts = {
      "/data": { source: volume, writable: true },
      "/var/run/postgresql": { source: sockets, writable: true },
    };
    const argv = [...rootfs.argv.slice(0, 1), "-c", `port=${port}`];
    const container = await startContainer({ rootfs, argv, uid: UID, env, mounts });
    started.push(container);
    return container;
  }

  async function startUntilReady(env: Readonly<Record<string, string>> = OWNER): Promise<Container> {
    const container = await start(env);
    const ended = container.exited.then((code) => {
      throw new Error(`ended with ${code}: ${container.log()}`);
    });
    const ready = waitFor("Postgres", async () => container.log().includes("ready to accept connections"));
    await Promise.race([ready, ended]);
    return container;
  }

  async function query(text: string, as: Partial<pg.ClientConfig> = {}): Promise<unknown[]> {
    const { POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: database } = OWNER;
    const client = new pg.Client({ host: "127.0.0.1", port, user, password, database, ...as });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }

  it("makes a database on an empty volume, and finds it again after it was stopped with clients at work", async () => {
    const first = await startUntilReady({ ...OWNER, POSTGRES_INITDB_ARGS: "--data-checksums" });
    await query("create table kept (what text); insert into kept values ('this')");
    expect(await query("show data_checksums")).toEqual([{ data_checksums: "on" }]);
    const working = query("select pg_sleep(3600)").then(
      () => "was not interrupted",
      (error: unknown) => (error as pg.DatabaseError).code,
    );
    await waitFor("the client", async () => {
      const [{ count } = {}] = (await query(
        "select count(*)::int from pg_stat_activity where query ~ '^select pg_sleep'",
      )) as {
        count?: number;
      }[];
      return count === 1;
    });
    first.terminate();
    expect(await first.exited, first.log()).toBe(0);
    expect(await working).toBe("57P01"); // admin_shutdown
    const again = await startUntilReady({});
    expect(await query("select what from kept")).toEqual([{ what: "this" }]);
    expect(again.log()).not.toContain("recovery");
  });

  it("is Postgres itself, without the password in its environment, once it serves", async () => {
    await startUntilReady();
    const told = "position('pass/word'::bytea in pg_read_binary_file('/proc/1/environ')) > 0";
    expect(await query(`select pg_read_file('/proc/1/comm') as comm, ${told} as told`)).toEqual([
      { comm: "postgres\n", told: false },
    ]);
  });

  it("asks for passwords by TCP and takes them from a file too", async () => {
    await writeFile(join(volume, "password"), `${OWNER.POSTGRES_PASSWORD}\n`, { mode: 0o644 });
    const { POSTGRES_USER, POSTGRES_DB } = OWNER;
    await startUntilReady({ POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD_FILE: "/data/password" });
    expect(await query("select current_user as who")).toEqual([{ who: "hatchery" }]);
    await expect(query("select 1", { password: "another" })).rejects.toMatchObject({ code: "28P01" });
    expect(await query("select distinct auth_method from pg_hba_file_rules where type = 'host'")).toEqual([
      { auth_method: "scram-sha-256" },
    ]);
  });

  it("takes a name of a database that needs quotes", async () => {
    await startUntilReady({ ...OWNER, POSTGRES_DB: 'O"Neil; drop' });
    const named = { database: 'O"Neil; drop' };
    expect(await query("select current_database() as name", named)).toEqual([{ name: named.database }]);
  });

  it("calls the database as its user unless told", async () => {
    await startUntilReady({ POSTGRES_USER: "hatchery", POSTGRES_PASSWORD: OWNER.POSTGRES_PASSWORD });
    expect(await query("select current_database() as name")).toEqual([{ name: "hatchery" }]);
  });

  it("begins anew where a first start did not come to its end, and serves a volume opened to the group", async () => {
    const unfinished = join(volume, "pgdata.new");
    await mkdir(unfinished);
    await writeFile(join(unfinished, "PG_VERSION"), "15\n");
    await chown(unfinished, UID, UID);
    const first = await startUntilReady();
    first.terminate();
    await first.exited;
    await chmod(join(volume, "pgdata"), 0o2770);
    await startUntilReady({});
    expect(await query("select 1 as one")).toEqual([{ one: 1 }]);
  });

  it.each([
    [{}, "POSTGRES_PASSWORD is missing"],
    [{ POSTGRES_PASSWORD: "p", POSTGRES_PASSWORD_FILE: "/data/password" }, "are both set"],
    [{ POSTGRES_PASSWORD_FILE: "/data/password" }, "POSTGRES_PASSWORD_FILE: /data/password cannot be read"],
  ])("refuses an empty volume and %j", async (env, words) => {
    const container = await start(env);
    expect(await container.exited).toBe(1);
    expect(container.log()).toContain(words);
  });
});
