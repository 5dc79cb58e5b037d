import { deepEqual, equal, ok } from "node:assert/strict";
import * as fc from "fast-check";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Trial } from "../../../pipeline/schema.ts";
import { sort } from "../../../pipeline/transforms/sort.ts";
import { bash, retrialWords, withFolder } from "../../shell.ts";
import { toolTest } from "../../tools.ts";
import { apply, failure, lines, trial } from "../trials.ts";

const utf8 = new TextEncoder();

/** In the order of UTF-8 bytes. */
function compareText(a: string, b: string): number {
  const [x, y] = [utf8.encode(a), utf8.encode(b)];
  const at = x.findIndex((byte, i) => byte !== y[i]);
  if (at < 0) return x.length - y.length;
  return at < y.length ? x[at]! - y[at]! : 1;
}

const ORDERS: {
  readonly [by: string]: (a: Trial, b: Trial) => number;
} = {
  task: (a, b) => compareText(a.task.id, b.task.id),
  world: (a, b) =>
    compareText(a.task.world ?? a.task.id, b.task.world ?? b.task.id),
  id: (a, b) => compareText(a.task.id, b.task.id) || a.sample - b.sample,
  sample: (a, b) => a.sample - b.sample,
  seed: (a, b) => {
    const of = ({ seed }: Trial) => seed === undefined ? -1n : BigInt(seed);
    return Number(of(a) - of(b));
  },
};

/** Names that begin each other, and characters of one to four bytes. */
const name = fc.oneof(
  fc.constantFrom("a", "a\u0000", "a\u0001", "a/1", "a/10", "a/2", "b", ""),
  fc.string({ unit: fc.constantFrom("a", "\u0000", "é", "\uffee", "😀") }),
);
const sample = fc.oneof(fc.nat(12), fc.constantFrom(2 ** 32, 2 ** 53 - 1));
const trials = fc.array(
  fc.record({
    task: name,
    world: fc.option(name),
    sample,
    seed: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  }),
  { maxLength: 40 },
).map((drawn) =>
  drawn.map(({ task, world, sample, seed }, place) => {
    const { seed: _, ...row } = trial(task, sample, { tags: place });
    return {
      ...row,
      task: { ...row.task, ...(world !== null && { world }) },
      ...(seed !== null && { seed: `${seed}` }),
    };
  })
);

for (const [by, order] of Object.entries(ORDERS)) {
  Deno.test(`sort --by ${by} is a stable sort`, () =>
    fc.assert(fc.asyncProperty(trials, async (trials) => {
      const sorted = await apply(sort, { by }, trials);
      equal(sorted, lines(trials.toSorted(order)));
    })));
}

const large = Array.from(
  { length: 400 },
  (_, i) =>
    trial(`task-${i * 7919 % 37}`, i % 11, {
      tags: "x".repeat(i % 5 === 0 ? 20_000 : 6000),
    }),
);

Deno.test("sort does not depend on the limit of memory, and is task by default", async () => {
  const expected = lines(large.toSorted(ORDERS.task));
  equal(await apply(sort, { memory: 1 }, large), expected);
  equal(await apply(sort, { memory: 64 }, large), expected);
});

Deno.test("sort takes a name for itself, however it is spelled", async () => {
  const [a, b] = [trial("ab", 0), trial("ab", 1)];
  const text = [lines([a]).replace('"ab"', '"\\u0061b"'), lines([b])];
  for (const given of [text, text.toReversed()]) {
    equal(await apply(sort, {}, given.join("")), given.join(""));
  }
});

Deno.test("sort of nothing is nothing", async () => {
  equal(await apply(sort, {}, ""), "");
});

Deno.test("sort names a bad line", async () => {
  const error = await failure(apply(sort, {}, lines(large) + "{}\n"));
  equal(error._tag, "DataError");
  equal(error.message, "test.jsonl: line 401: id is missing");
});

Deno.test("sort goes on past bad lines where asked", async () => {
  const bad: Array<string> = [];
  const text = "{}\n" + lines(large.slice(0, 3)) + "]\n";
  const onBad = (error: Error) => bad.push(error.message);
  const sorted = await apply(sort, {}, text, onBad);
  equal(sorted, lines(large.slice(0, 3).toSorted(ORDERS.task)));
  equal(bad.length, 2);
});

const MAKE = `mkdir tmp; export TMPDIR=$PWD/tmp
  retrial generate --env dark-room --tasks 4000 --samples 2 > in`;

toolTest(
  "sort leaves no files, whatever ends it",
  ["bash"],
  () =>
    withFolder(async (folder) => {
      const { out, err } = await bash(
        folder,
        `${MAKE}
      (cat in; echo '{}') | retrial sort --memory 1 > none; echo $?
      ls -A tmp
      retrial sort --memory 1 in | wc -l
      ls -A tmp
      retrial sort --memory 1 in | head -n 1 > none; echo \${PIPESTATUS[0]}
      ls -A tmp`,
      );
      equal(err, "retrial: stdin: line 8001: id is missing\n");
      equal(out, "65\n8000\n0\n");
    }),
);

toolTest(
  "sort leaves no files when it is interrupted",
  ["bash"],
  () =>
    withFolder(async (folder) => {
      const { code } = await bash(folder, MAKE);
      equal(code, 0);
      const temporary = path.join(folder, "tmp");
      const [program, ...words] = retrialWords();
      const child = spawn(program!, [...words, "sort", "--memory", "1"], {
        env: { ...Deno.env.toObject(), TMPDIR: temporary },
        stdio: ["pipe", "ignore", "ignore"],
      });
      const ended = new Promise((done) => child.once("exit", done));
      // Its input stays open, so that it waits for more.
      child.stdin.write(fs.readFileSync(path.join(folder, "in")));
      const spilled = () =>
        fs.readdirSync(temporary).some((name) =>
          fs.readdirSync(path.join(temporary, name)).length > 1
        );
      for (let i = 0; i < 300 && !spilled(); i++) {
        await new Promise((next) => setTimeout(next, 50));
      }
      ok(spilled(), "it has written files");
      child.kill("SIGINT");
      await ended;
      child.stdin.destroy();
      deepEqual(fs.readdirSync(temporary), []);
    }),
);
