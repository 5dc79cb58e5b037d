import { deepEqual, equal, match, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { bash, retrial, succeeded, withFolder } from "../shell.ts";

const SMALL = "generate --env dark-room --tasks 40 --episodes 5";
const words = SMALL.split(" ");

/** What was said to a person, a line each. */
function told(err: string): ReadonlyArray<string> {
  return err.split("\n").slice(0, -1);
}

for (const jobs of [1, 2]) {
  Deno.test(`a full device behind stdout is told once, with --jobs ${jobs}`, () =>
    withFolder(async (folder) => {
      const { code, err } = await bash(
        folder,
        `retrial ${SMALL} --jobs ${jobs} > /dev/full`,
      );
      equal(code, 75);
      deepEqual(told(err), [
        "retrial: Cannot write to standard output: no space left on the device",
      ]);
    }));
}

/** Mounts a file system of `size` on `folder`; whether that is allowed here. */
function mount(folder: string, size: string): boolean {
  try {
    const options = ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder];
    execFileSync("mount", options, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A small disk in the place of a folder, where that is allowed. */
async function withDisk(
  use: (disk: string, enlarge: () => void) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    if (!mount(folder, "256k")) return;
    const remount = ["-o", "remount,size=16m", folder];
    try {
      await use(folder, () => execFileSync("mount", remount));
    } finally {
      execFileSync("umount", [folder]);
    }
  });
}

for (const more of [[], ["--jobs", "2"], ["--compress", "gz"]]) {
  const name = more.join(" ") || "no more flags";
  Deno.test(`a full disk leaves whole shards, and work goes on when it is larger (${name})`, () =>
    withDisk(async (disk, enlarge) => {
      const plan =
        "generate --env dark-room --tasks 500 --episodes 20 --shards 64".split(
          " ",
        );
      const all = [...plan, ...more, "--out", path.join(disk, "d")];
      const { code, err } = await retrial(disk, all);
      equal(code, 75, err);
      equal(told(err).length, 1);
      match(err, /^retrial: Cannot write .*d.*: no space left on the device/);
      const names = fs.readdirSync(path.join(disk, "d/data"));
      ok(names.every((name) => /\.jsonl(\.gz)?$/.test(name)), `${names}`);
      ok(!fs.existsSync(path.join(disk, "d/manifest.json")));
      enlarge();
      match((await retrial(disk, all)).err, /of 64 parts were there/);
      succeeded(await retrial(disk, ["verify", "d"]));
      succeeded(await retrial(disk, ["replay", "d"]));
    }));
}

for (const out of ["/proc/retrial", "/sys/retrial", "/dev/null/d"]) {
  Deno.test(`--out ${out} is refused with a word`, () =>
    withFolder(async (folder) => {
      const { code, err } = await retrial(folder, [...words, "--out", out]);
      ok(code === 75 || code === 65, `exit ${code}`);
      equal(told(err).length, 1);
      match(err, new RegExp(`^retrial: Cannot write to ${out}: `));
      ok(!/bug|undefined|at /.test(err), err);
    }));
}

Deno.test("a file in the place of the folder is refused with a word", () =>
  withFolder(async (folder) => {
    fs.writeFileSync(path.join(folder, "d"), "mine");
    const { code, err } = await retrial(folder, [...words, "--out", "d"]);
    equal(code, 65, err);
    match(err, /^retrial: Cannot write to d: /);
    equal(fs.readFileSync(path.join(folder, "d"), "utf8"), "mine");
  }));

Deno.test("lines cannot be set aside where there is no folder", () =>
  withFolder(async (folder) => {
    const flags = ["credit", "--on-error", "quarantine=no/where"];
    const { code, err } = await retrial(folder, flags, "nonsense\n");
    equal(code, 65, err);
    match(err, /Cannot set lines aside in no\/where: no such file or folder/);
  }));

Deno.test("a closed pipe is no failure for any stage", () =>
  withFolder(async (folder) => {
    const { out, err } = await bash(
      folder,
      `set -o pipefail
      retrial generate --env dark-room --tasks 3000 --episodes 5 > rows
      for stage in "credit rows" "credit rows then credit" "generate --env dark-room --tasks 9000"; do
        retrial $stage | head -1 > /dev/null; echo "\${PIPESTATUS[0]}"
      done
      cat rows | retrial credit | head -1 > /dev/null; echo "\${PIPESTATUS[1]}"
      retrial --help | true; echo "\${PIPESTATUS[0]}"`,
    );
    deepEqual(out.split("\n").slice(0, -1), ["0", "0", "0", "0", "0"]);
    equal(err, "");
  }));

Deno.test("the program needs no more than to read and to write", () =>
  withFolder(async (folder) => {
    const least = ["--allow-read", "--allow-write"];
    const run = async (...more: Array<string>) =>
      succeeded(await retrial(folder, more, undefined, least));
    await run(...words, "--jobs", "2", "--out", "d");
    await run("verify", "d");
    await run("replay", "d");
    await run("explain", "d");
    await run("credit", "d", "--out", "c", "--compress", "zst");
    await run(...words, "then", "credit");
  }));

Deno.test("a stage that may not read or write says so, with exit 75", () =>
  withFolder(async (folder) => {
    const least = [
      `--allow-read=${path.resolve(import.meta.dirname!, "../..")}`,
    ];
    const run = (more: ReadonlyArray<string>, leave: ReadonlyArray<string>) =>
      retrial(folder, more, undefined, leave);
    const out = await run([...words, "--out", "d"], ["--allow-read"]);
    equal(out.code, 75, out.err);
    match(out.err, /^retrial: Cannot write to d: Requires write access to "d/);
    const input = await run(["credit", folder], least);
    equal(input.code, 75, input.err);
    match(input.err, /^retrial: Cannot .*Requires read access/);
    // Rows on stdout need no leave to write.
    succeeded(await run(words, least));
  }));
