/** What is held of a stream, and when it is let go. */
import { deepEqual, equal, ok } from "node:assert/strict";
import * as fc from "fast-check";
import { creditOptions } from "../../../../pipeline/transforms/credit/options.ts";
import { grouper } from "../../../../pipeline/transforms/credit/grouping.ts";
import { seenKeys } from "../../../../pipeline/transforms/credit/seen.ts";
import type { Batch } from "../../../../pipeline/lines.ts";
import { ids, lines, trial } from "../../trials.ts";

const utf8 = new TextEncoder();
const decoder = new TextDecoder();

/** Feeds rows, `size` to a batch; counts batches that are held after each push. */
function feed(
  tasks: ReadonlyArray<string>,
  size: number,
  given: { readonly [flag: string]: unknown },
) {
  const made = grouper(creditOptions(given as never));
  const released: Array<number> = [];
  const held: Array<number> = [];
  let out = "";
  const take = (batch: Batch | undefined) => {
    if (batch === undefined) return;
    out += decoder.decode(batch.bytes);
    batch.release?.();
  };
  const rows = tasks.map((task, i) => trial(task, i));
  let pushed = 0;
  for (let i = 0; i < rows.length; i += size) {
    const number = pushed++;
    const bytes = utf8.encode(lines(rows.slice(i, i + size)));
    take(made.push({
      bytes,
      place: { origin: "test.jsonl", line: i + 1 },
      offset: 0,
      release: () => {
        released.push(number);
        // Whoever reads on would read this.
        bytes.fill(0);
      },
    }));
    held.push(pushed - released.length);
  }
  take(made.finish());
  deepEqual(released, Array.from({ length: pushed }, (_, n) => n));
  deepEqual(ids(out), rows.map(({ id }) => id));
  return { held };
}

/** `groups` tasks of `size` rows. */
const tasksOf = (groups: number, size: number) =>
  Array.from({ length: groups * size }, (_, i) => `t${Math.floor(i / size)}`);

Deno.test("batches are released when no open group has rows in them", () => {
  const { held } = feed(tasksOf(50, 4), 1, { advantage: "grpo" });
  equal(Math.max(...held), 4);
  equal(held.length, 200);
});

Deno.test("with --whiten so many groups are held, and no more", () => {
  const given = { advantage: "reinforce++", batch: 3 };
  const { held } = feed(tasksOf(50, 4), 1, given);
  equal(Math.max(...held), 3 * 4);
  equal(held.filter((n) => n === 12).length >= 10, true);
});

Deno.test("each batch is released once, in order, however groups lie in batches", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 4 }),
    fc.boolean(),
    (sizes, size, batch, whiten) => {
      const tasks = sizes.flatMap((n, i) => Array<string>(n).fill(`t${i}`));
      const given = {
        advantage: "gigpo",
        ...whiten && { whiten, batch },
      };
      const { held } = feed(tasks, size, given);
      const rows = Math.max(...sizes) * (whiten ? batch + 1 : 1);
      ok(Math.max(...held) <= Math.ceil(rows / size) + 1);
    },
  ));
});

Deno.test("of a million groups none is taken for another", () => {
  const seen = seenKeys();
  for (let i = 0; i < 1e6; i++) {
    if (!seen.add(`dark-room-9x9-${i}`)) throw new Error(`${i} is new`);
  }
  for (let i = 0; i < 1e6; i += 999) {
    equal(seen.add(`dark-room-9x9-${i}`), false);
  }
  equal(seen.add(""), true);
  equal(seen.add(""), false);
});

Deno.test("short keys are apart, and words from their like read backwards", () => {
  const seen = seenKeys();
  const letters = "abcdefghijklmnopqrstuvwxyzäöü0123456789";
  for (const a of letters) {
    for (const b of letters) {
      for (const c of letters) ok(seen.add(`${a}${b}${c}`), `${a}${b}${c}`);
    }
  }
});
