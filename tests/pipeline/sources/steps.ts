/** Logs of steps for tests, and what import makes of them. */
import { equal, match } from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as zlib from "node:zlib";
import { type AnyOptions, checkOptions } from "../../../pipeline/flags.ts";
import type { Trial } from "../../../pipeline/schema.ts";
import { importSteps as importing } from "../../../pipeline/sources/import.ts";
import { filter } from "../../../pipeline/transforms/filter.ts";
import { apply, collect, failure } from "../trials.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "import-test-"));
globalThis.addEventListener("unload", () => {
  fs.rmSync(folder, { recursive: true });
});
let count = 0;

export type Log = string | ReadonlyArray<{ readonly [name: string]: unknown }>;

export function written(log: Log, ending: string): string {
  const name = path.join(folder, `${count++}${ending}`);
  const text = typeof log === "string"
    ? log
    : log.map((row) => JSON.stringify(row) + "\n").join("");
  const pack = ending.endsWith(".zst") ? zlib.zstdCompressSync : Buffer.from;
  fs.writeFileSync(name, pack(Buffer.from(text)));
  return name;
}

export function imported(
  file: string | ReadonlyArray<string>,
  given: AnyOptions = {},
): Promise<string> {
  const options = checkOptions(importing.flags, given);
  // checkOptions has made them what the flags say.
  return collect(importing.open(options as never, [file].flat()));
}

export async function trials(
  log: Log,
  given: AnyOptions = {},
  ending = ".jsonl",
): Promise<ReadonlyArray<Trial>> {
  const text = await imported(written(log, ending), given);
  // What import writes must be what every stage reads.
  equal(await apply(filter, { where: "true" }, text), text);
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

export async function refused(
  log: Log,
  message: RegExp,
  given: AnyOptions = {},
  ending = ".jsonl",
): Promise<void> {
  const error = await failure(imported(written(log, ending), given));
  match((error as Error).message, message);
}

/** A step of a log; `more` adds columns or takes them away. */
export function step(
  trial: unknown,
  episode: number,
  t: number,
  more: { readonly [name: string]: unknown } = {},
): { readonly [name: string]: unknown } {
  const common = { observation: t, action: 1, reward: t / 2 };
  const next = { next_observation: t + 1, terminated: false };
  return { trial, episode, t, ...common, ...next, ...more };
}
