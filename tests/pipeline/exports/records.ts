/** Records for tests: rows to be exported, and folders as they lie. */
import * as fs from "node:fs";
import * as path from "node:path";
import fc from "fast-check";
import { exportRows } from "../../../pipeline/exports/export.ts";
import { type AnyOptions, checkOptions } from "../../../pipeline/flags.ts";
import type { Episode, Trial } from "../../../pipeline/schema.ts";
import { batchesOf, lines, run, trial } from "../trials.ts";

/** Exports rows into `out`. */
export function exported(
  out: string,
  rows: string | ReadonlyArray<Trial>,
  given: AnyOptions = {},
): Promise<void> {
  const options = checkOptions(exportRows.flags, {
    to: "anymdp",
    out,
    ...given,
  });
  const text = typeof rows === "string" ? rows : lines(rows);
  // checkOptions has made them what the flags say.
  return run(exportRows.run(options as never, {
    words: [],
    files: [],
    rows: batchesOf(text),
  }));
}

/** The files of a folder and those below it, by path. */
export function filesOf(folder: string): Map<string, Uint8Array> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => fs.statSync(path.join(folder, name)).isFile()).sort();
  return new Map(
    names.map((name) => [name, fs.readFileSync(path.join(folder, name))]),
  );
}

export const ACTIONS = 5;
/** Six digits at most: what 32-bit floats keep. */
const reward = fc.integer({ min: -999_999, max: 999_999 }).chain((n) =>
  fc.integer({ min: -9, max: 9 }).map((e) => Number(`${n}e${e}`) + 0)
);

function listOf<A>(entry: fc.Arbitrary<A>, length: number) {
  return fc.array(entry, { minLength: length, maxLength: length });
}

const REFERENCES = ["oracle@0.994", "oracle@0", "optimal"];

function episodeOf(steps: number): fc.Arbitrary<Episode> {
  const action = fc.nat(ACTIONS - 1);
  return fc.record({
    observations: listOf(fc.nat(2 ** 32 - 1), steps + 1),
    actions: listOf(action, steps),
    rewards: listOf(reward, steps),
    terminated: fc.boolean(),
    truncated: fc.boolean(),
    success: fc.boolean(),
    returns: listOf(fc.double({ noNaN: true, noDefaultInfinity: true }), steps),
    tags: listOf(fc.nat(7), steps),
    labels: fc.record(
      Object.fromEntries(
        REFERENCES.map((name) => [name, listOf(action, steps)]),
      ),
    ),
    more: fc.jsonValue({ maxDepth: 1 }).map((value) =>
      JSON.parse(JSON.stringify(value))
    ),
  }, {
    requiredKeys: [
      "observations",
      "actions",
      "rewards",
      "terminated",
      "truncated",
      "labels",
    ],
  }).chain((episode) => {
    // Members may stand in any order.
    const members = Object.entries(episode);
    return fc.shuffledSubarray(members, { minLength: members.length })
      .map((all) => Object.fromEntries(all) as unknown as Episode);
  });
}

/** Trials that records can hold, without loss. */
export const discreteTrials: fc.Arbitrary<ReadonlyArray<Trial>> = fc.array(
  fc.array(fc.nat(6).chain(episodeOf), { minLength: 1, maxLength: 4 }),
  { minLength: 1, maxLength: 4 },
).map((all) => all.map((episodes, i) => trial(`t${i}`, i, { episodes })));
