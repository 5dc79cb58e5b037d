/** Packs cut by several are those that one cuts. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import * as fs from "node:fs";
import type { Trial } from "../../../pipeline/schema.ts";
import {
  type ArraysShape,
  type Filled,
  type PackBlank,
  packBlank,
} from "../../../pipeline/pack_layout.ts";
import { cutter } from "../../../pipeline/sinks/pack/cut.ts";
import { type Filler, filler } from "../../../pipeline/sinks/pack/filler.ts";
import {
  type Job,
  lotCutter,
  putTogether,
} from "../../../pipeline/sinks/pack/lots.ts";
import type { Wanted } from "../../../pipeline/sinks/pack/trial.ts";
import { retrial, succeeded, withFolder } from "../../shell.ts";
import { lines, trial } from "../trials.ts";

const utf8 = new TextEncoder();

/** Steps of an episode: few, none, or more than eight bits count. */
const LENGTHS = fc.oneof(
  { weight: 8, arbitrary: fc.nat(5) },
  { weight: 1, arbitrary: fc.constant(140) },
);
/** What is seen: mostly of eight bits. */
const SEEN = fc.oneof(
  { weight: 20, arbitrary: fc.nat(9) },
  { weight: 1, arbitrary: fc.constantFrom(127, 128, 32767, 32768) },
);
const EPISODE = LENGTHS.chain((steps) => {
  const list = <A>(of: fc.Arbitrary<A>, length = steps) =>
    fc.array(of, { minLength: length, maxLength: length });
  return fc.record({
    observations: list(SEEN, steps + 1),
    actions: list(fc.nat(3)),
    rewards: list(fc.nat(5)),
    terminated: fc.boolean(),
    labels: fc.record({ best: list(fc.nat(3)) }),
    tags: list(fc.nat(6)),
    returns: list(fc.nat(40)),
  }).map((episode) => ({ ...episode, truncated: !episode.terminated }));
});
/** Who cuts a row, with how many before it at once, and the row. */
const ROWS = fc.array(
  fc.record({
    by: fc.nat(2),
    joined: fc.boolean(),
    episodes: fc.array(EPISODE, { minLength: 1, maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 12 },
);

function jobOf(context: number, stride: number, offset: "none" | "random") {
  const columns = ["returns"] as const;
  const wanted: Wanted = {
    observed: { n: 9, given: false },
    actions: { n: 4, given: false },
    label: "best",
    tagged: true,
    columns,
  };
  const cut = { context, stride, offset, seed: "3", label: "best", columns };
  return { cut, wanted } satisfies Job;
}

/** Files of few windows, as text that shows where they differ. */
function files(): { readonly into: Filler; readonly made: Array<string> } {
  const made: Array<string> = [];
  const into = filler<PackBlank>({
    take: (shape: ArraysShape) => packBlank(shape, 2000),
    give: (blank, windows) =>
      made.push(
        `${windows} ${new TextDecoder("latin1").decode(blank.bytes(windows))}`,
      ),
  });
  return { into, made };
}

function batchOf(row: Trial, line: number) {
  const bytes = utf8.encode(lines([row]));
  return { bytes, place: { origin: "rows", line }, offset: 0 };
}

Deno.test("lots put together are the files of one who cuts all", () => {
  const context = fc.integer({ min: 1, max: 9 });
  fc.assert(fc.property(
    ROWS,
    context,
    fc.integer({ min: 1, max: 9 }),
    fc.constantFrom("none", "random"),
    fc.integer({ min: 1, max: 900 }),
    (given, context, stride, offset, most) => {
      const batches = given.map(({ episodes }, k) =>
        batchOf(trial(`t${k}`, 0, { episodes }), k + 1)
      );
      const alone = { ...files(), ...jobOf(context, stride, offset) };
      const one = cutter(alone.cut, () => alone.wanted, alone.into);
      for (const batch of batches) one.add(batch);
      alone.into.flush();

      const shared = { ...files(), ...jobOf(context, stride, offset) };
      const first = cutter(shared.cut, () => shared.wanted, shared.into);
      first.add(batches[0]!);
      const tally = first.tally();
      const others = [0, 1, 2].map(() => ({
        cutLines: lotCutter(most),
        spare: [] as Array<Filled>,
      }));
      const { cut } = shared;
      for (let i = 1; i < batches.length;) {
        let to = i + 1;
        while (to < batches.length && given[to]!.joined) to++;
        const own = batches.slice(i, to);
        const bytes = new Uint8Array(own.flatMap(({ bytes }) => [...bytes]));
        // Each has its own copy of what was known when it began, as threads have.
        const job = structuredClone({ cut, wanted: shared.wanted });
        const other = others[given[i]!.by]!;
        const made = other.cutLines({
          job,
          bytes,
          batches: own.map(({ bytes: { length }, ...rest }) => ({
            ...rest,
            length,
          })),
          spare: other.spare,
        });
        other.spare = made.lots.map(({ lot }) => lot);
        putTogether(made, shared.wanted, shared.into);
        tally.rows += made.tally.rows;
        tally.steps += made.tally.steps;
        tally.packed += made.tally.packed;
        i = to;
      }
      shared.into.flush();
      deepEqual(shared.made, alone.made);
      deepEqual(shared.wanted, alone.wanted);
      deepEqual(tally, one.tally());
    },
  ));
});

/** A file of one folder that another has not, or otherwise. */
function differing(folder: string, one: string, other: string) {
  const names = (own: string) => fs.readdirSync(`${folder}/${own}`);
  const read = (own: string, name: string) =>
    fs.readFileSync(`${folder}/${own}/${name}`);
  deepEqual(names(other), names(one));
  return names(one).find((name) =>
    read(one, name).compare(read(other, name)) !== 0
  );
}

Deno.test("vectors are cut by several as by one", () =>
  withFolder(async (folder) => {
    const made =
      "generate --env random-cartpole --tasks 40 --episodes 3 --out rows"
        .split(" ");
    succeeded(await retrial(folder, made));
    for (const jobs of ["1", "2"]) {
      const words = `pack --context 9 --jobs ${jobs} --out packs-${jobs} rows`;
      succeeded(await retrial(folder, words.split(" ")));
    }
    equal(differing(folder, "packs-1", "packs-2"), undefined);
  }));

Deno.test("of two wrong lines the first is told, whoever comes to it", () =>
  withFolder(async (folder) => {
    const made = "generate --env dark-room --tasks 400 --episodes 20";
    const rows = succeeded(await retrial(folder, made.split(" "))).trimEnd();
    const broken = rows.slice(0, -7);
    // The reader itself gives up at the second, while threads are busy.
    const long = "x".repeat(65 * 2 ** 20);
    fs.writeFileSync(`${folder}/rows.jsonl`, `${broken}\n${long}\n`);
    for (const jobs of ["1", "2"]) {
      const words = `pack --context 50 --jobs ${jobs} --out packs rows.jsonl`;
      const { code, err } = await retrial(folder, words.split(" "));
      equal(code, 65);
      match(err, /line 400: /);
    }
  }));

Deno.test("bytes do not depend on the number of threads", () =>
  withFolder(async (folder) => {
    const made =
      "generate --env dark-room --tasks 2600 --episodes 20 --policy frontier --out rows --shards 2"
        .split(" ");
    succeeded(await retrial(folder, made));
    const shards = fs.readdirSync(`${folder}/rows/data`).map((name) =>
      fs.readFileSync(`${folder}/rows/data/${name}`, "utf8")
    );
    // Few rows need wider integers, and one of them comes late.
    const rows = shards.join("").trimEnd().split("\n");
    for (const [at, seen] of [[700, 200], [701, 3], [2500, 40000]] as const) {
      const row: Trial = JSON.parse(rows[at]!);
      (row.episodes[0]!.observations as Array<number>)[1] = seen;
      rows[at] = JSON.stringify(row);
    }
    const text = rows.join("\n");
    ok(text.length > 12 * 2 ** 20, `${text.length} bytes are few messages`);
    fs.writeFileSync(`${folder}/all.jsonl`, text);
    const cut = "pack --context 50 --stride 30 --offset random --overwrite";
    for (const jobs of ["1", "2", "3"]) {
      const words = `${cut} --jobs ${jobs} --out packs-${jobs} all.jsonl`;
      succeeded(await retrial(folder, words.split(" ")));
    }
    equal(differing(folder, "packs-1", "packs-2"), undefined);
    equal(differing(folder, "packs-1", "packs-3"), undefined);
    ok(fs.readdirSync(`${folder}/packs-1`).length >= 4);
    // The last line is torn, and one that is in the middle no row.
    for (
      const [at, why] of [[1200, /line 1201: /], [
        2599,
        /line 2600: torn/,
      ]] as const
    ) {
      const broken = rows.with(at, rows[at]!.slice(0, -7));
      fs.writeFileSync(`${folder}/broken.jsonl`, broken.join("\n"));
      const ended = await Promise.all(["1", "3"].map((jobs) =>
        retrial(
          folder,
          `${cut} --jobs ${jobs} --out no-${jobs} broken.jsonl`.split(" "),
        )
      ));
      equal(ended[0]!.code, 65);
      match(ended[0]!.err, why);
      deepEqual(ended[1], ended[0]);
      equal(fs.existsSync(`${folder}/no-3/pack.json`), false);
    }
  }));
