/**
 * Golden pipes: each folder under `cases` holds a command and what it says. To
 * write down anew what commands say, run this file with UPDATE=1 in the
 * environment, and read the difference.
 */
import { toolTest } from "./tools.ts";
import { deepEqual, ok } from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { bash, type Ended } from "./shell.ts";

const cases = path.join(import.meta.dirname!, "cases");
const isUpdate = Deno.env.get("UPDATE") === "1";

function folders(folder: string): Array<string> {
  return fs.readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => path.join(folder, name))
    .sort();
}

function read(file: string): string {
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
}

function expectedOf(folder: string): Ended {
  const [out, err, code] = ["out", "err", "code"].map((name) =>
    read(path.join(folder, name))
  );
  return { code: Number(code), out: out!, err: err! };
}

/** A file for each of what was said; none for nothing. */
function update(folder: string, { code, out, err }: Ended): void {
  for (const [name, text] of Object.entries({ out, err, code: `${code}\n` })) {
    const file = path.join(folder, name);
    if (text === "") fs.rmSync(file, { force: true });
    else fs.writeFileSync(file, text);
  }
}

/** Programs that not every machine has, and some cases use. */
const TOOLS = ["jq", "gzip", "zstd", "python3"];

const all = folders(cases).flatMap(folders);

for (const folder of all) {
  const cmd = read(path.join(folder, "cmd"));
  const first = cmd.split("\n")[0]!.replace(/^# /, "");
  const tools = TOOLS.filter((tool) => new RegExp(`\\b${tool}\\b`).test(cmd));
  const name = `case ${path.relative(cases, folder)}: ${first}`;
  toolTest(name, ["bash", ...tools], async () => {
    const left = fs.readdirSync(folder);
    const ended = await bash(folder, cmd);
    if (isUpdate) return update(folder, ended);
    deepEqual(ended, expectedOf(folder));
    deepEqual(fs.readdirSync(folder), left, "a case leaves nothing behind");
  });
}

Deno.test("the cases are there", () => ok(all.length >= 25, `${all.length}`));
