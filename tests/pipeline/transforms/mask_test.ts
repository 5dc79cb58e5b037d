import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { Trial } from "../../../pipeline/schema.ts";
import { mask } from "../../../pipeline/transforms/mask.ts";
import { near } from "../../laws.ts";
import { apply, episode, failure, lines, trial } from "../trials.ts";

const TAGS = [[3, 3, 6], [4], [], [0, 5]];

function tagged(id: string, episodes = TAGS): Trial {
  return trial(id, 0, {
    episodes: episodes.map((tags) => episode(tags.map(() => 0.5), { tags })),
  });
}

function parse(text: string): ReadonlyArray<Trial> {
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

/** Whether each episode's tags are hidden, of rows tagged 0 throughout. */
async function hidden(count: number, given = {}) {
  const rows = Array.from(
    { length: count },
    (_, i) => tagged(`t${i}`, [[0, 0], [0, 0], [0, 0], [0, 0]]),
  );
  return parse(await apply(mask, given, rows)).map(({ episodes }) =>
    episodes.map(({ tags }) => {
      ok(tags!.join() === "0,0" || tags!.join() === "7,7", `${tags}`);
      return tags![0] === 7;
    })
  );
}

function share(flags: ReadonlyArray<boolean>) {
  const mean = flags.filter(Boolean).length / flags.length;
  return { mean, se: Math.sqrt(mean * (1 - mean) / flags.length) };
}

Deno.test("mask hides as many trials and episodes as OmniRL does", async () => {
  const N = 8000;
  const made = await hidden(N, { seed: "11" });
  const whole = made.map((episodes) => episodes.every(Boolean));
  // All four are hidden with the trial, or each by itself.
  near(share(whole), 0.15 + 0.85 * 0.15 ** 4);
  // One of each trial: those of one trial are not independent.
  for (const e of [0, 3]) near(share(made.map((row) => row[e]!)), 0.2775);
  // Apart from hidden trials, the episodes of one do not know of each other.
  const left = await hidden(N, { trials: 0, seed: "12" });
  const pairs = left.map((row) => row[0]! && row[1]!);
  near(share(pairs), 0.15 ** 2);
  near(share((await hidden(N, { episodes: 0 })).map((row) => row[2]!)), 0.15);
});

Deno.test("mask does not depend on order, shards or other seeds", async () => {
  const rows = Array.from({ length: 60 }, (_, i) => tagged(`t${i}`));
  const whole = (await apply(mask, {}, rows)).split("\n").sort();
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(rows, { minLength: rows.length }),
      fc.nat(rows.length),
      async (shuffled, cut) => {
        const first = await apply(mask, {}, shuffled.slice(0, cut));
        const second = await apply(mask, {}, shuffled.slice(cut));
        const made = (first + second).split("\n").filter(Boolean);
        deepEqual(["", ...made].sort(), whole);
      },
    ),
    { numRuns: 10 },
  );
  const other = (await apply(mask, { seed: "1" }, rows)).split("\n").sort();
  ok(other.join() !== whole.join());
});

Deno.test("mask touches nothing but tags", async () => {
  const odd =
    `{"id":"a/0", "task":{"id":"a"},"more":[7, 1e2],"sample":0,"tags":[1, 2],` +
    `"episodes":[{"tags": [1 , 2],"observations":[0,"x",1.50],"actions":[0,0],` +
    `"rewards":[0,1.0],"terminated":true,"truncated":false},{"observations":[0],` +
    `"actions":[],"rewards":[],"terminated":true,"truncated":false}]}\n`;
  equal(await apply(mask, { trials: 0, episodes: 0 }, odd), odd);
  const all = odd.replace("[1 , 2]", "[7,7]");
  equal(await apply(mask, { trials: 1 }, odd), all);
  equal(await apply(mask, { trials: 0, episodes: 1 }, odd), all);
});

Deno.test("mask at 1 hides everything, at 0 nothing", async () => {
  const text = lines([tagged("a"), trial("b", 1), tagged("c")]);
  equal(await apply(mask, { trials: 0, episodes: 0 }, text), text);
  const made = parse(await apply(mask, { trials: 1, episodes: 0 }, text));
  for (const i of [0, 2]) {
    const seen = made[i]!.episodes.map(({ tags }) => tags);
    deepEqual(seen, [[7, 7, 7], [7], [], [7, 7]]);
  }
  deepEqual(made[1], trial("b", 1));
});

Deno.test("mask refuses what is no seed", async () => {
  equal((await failure(apply(mask, { seed: "x" }, "")))._tag, "UsageError");
});
