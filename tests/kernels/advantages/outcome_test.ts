import { deepEqual, ok } from "node:assert/strict";
import * as fc from "fast-check";
import {
  centre,
  type Centred,
  entryOfRows,
  EPSILON,
  momentsOf,
  passAtK,
  type Pool,
  POOLS,
  poolScores,
} from "../../../kernels/advantages/outcome.ts";
import { allClose } from "../../all_close.ts";
import { goldenCases } from "../../golden.ts";
import { peerTest, python } from "../../peers.ts";
import { grid, groupOf, groups, type Trials } from "./groups.ts";

type Estimator = Centred | "pass-at-k";
const CENTRED = ["grpo", "dr-grpo", "rloo"] as const;
const ESTIMATORS = [...CENTRED, "pass-at-k"] as const;

/** The entries of a group. */
function entriesOf(trials: Trials, pool: Pool): Float64Array {
  const { scores, rows, shape } = groupOf(trials);
  const entries = new Float64Array(rows);
  return entries.subarray(0, poolScores(scores, shape, pool, entries));
}

/** The advantages of a group, as nested as its scores. */
function advantagesOf(
  trials: Trials,
  pool: Pool,
  estimator: Estimator,
): Trials {
  const { scores, rows, shape } = groupOf(trials);
  const entries = entriesOf(trials, pool);
  const moments = momentsOf(entries, entries.length);
  const advantages = new Float64Array(rows);
  if (estimator === "pass-at-k") {
    const entryOf = new Int32Array(rows);
    entryOfRows(shape, pool, entryOf);
    passAtK(entryOf, rows, entries, moments, true, advantages);
  } else centre(scores, rows, estimator, moments, advantages);
  let at = 0;
  return trials.map((episodes) =>
    episodes.map((own) => own.map(() => advantages[at++]!))
  );
}

const GOLDEN: { readonly [algorithm: string]: Centred } = {
  grpo_std: "grpo",
  "grpo_no_std (Dr.GRPO centring)": "dr-grpo",
  rloo: "rloo",
};

/** The places of each group's members. */
function placesOf(group: ReadonlyArray<string>): Array<Array<number>> {
  const names = [...new Set(group)];
  return names.map((name) =>
    group.flatMap((other, i) => other === name ? [i] : [])
  );
}

for (const c of goldenCases("group_advantages")) {
  const estimator = GOLDEN[c.algorithm];
  if (estimator === undefined) continue;
  Deno.test(`centre() gives ${estimator} of ${c.name}`, () => {
    for (const places of placesOf(c.inputs.group)) {
      const trials = places.map((i) => [[c.inputs.scores[i] as number]]);
      const expected = places.map((i) => c.expected_advantages[i]);
      const found = advantagesOf(trials, "trials", estimator);
      allClose(found.flat(2), expected, 1e-9);
    }
  });
}

Deno.test("the golden file has no estimator that is tested nowhere", () => {
  const others = goldenCases("group_advantages")
    .map(({ algorithm }) => algorithm as string)
    .filter((algorithm) => GOLDEN[algorithm] === undefined);
  // whiten_test.ts
  deepEqual([...new Set(others)], ["reinforce_pp_baseline"]);
});

const pools = fc.constantFrom(...POOLS);

Deno.test("poolScores() has an entry for each row, episode or trial that has rows", () =>
  fc.assert(fc.property(groups(0), (trials) => {
    const mean = (x: ReadonlyArray<number>) =>
      x.reduce((a, b) => a + b, 0) / x.length;
    const played = trials.map((episodes) =>
      episodes.filter(({ length }) => length > 0).map(mean)
    );
    deepEqual([...entriesOf(trials, "rows")], trials.flat(2));
    allClose(entriesOf(trials, "episodes"), played.flat(), 1e-12);
    const expected = played.filter(({ length }) => length > 0).map(mean);
    allClose(entriesOf(trials, "trials"), expected, 1e-12);
  })));

Deno.test("poolScores() gives a trial one vote, however long it is", () => {
  const trials = [[[1, 1, 1, 1, 1, 1], [1, 1]], [[0]]];
  const means = POOLS.map((pool) => {
    const entries = entriesOf(trials, pool);
    return momentsOf(entries, entries.length).mean;
  });
  allClose(means, [8 / 9, 2 / 3, 1 / 2], 1e-15);
});

Deno.test("entryOfRows() names the entry that holds a row's score", () =>
  fc.assert(fc.property(groups(0), pools, (trials, pool) => {
    const { rows, shape } = groupOf(trials);
    const entryOf = new Int32Array(rows);
    entryOfRows(shape, pool, entryOf);
    // Scores that tell where a row is from: pooling does not mix what is equal.
    let [row, episode] = [0, 0];
    const named = trials.map((episodes, trial) =>
      episodes.map((own) => {
        episode++;
        return own.map(() => [row++, episode, trial][POOLS.indexOf(pool)]!);
      })
    );
    const entries = entriesOf(named, pool);
    deepEqual(Array.from(entryOf, (k) => entries[k]!), named.flat(2));
  })));

Deno.test("rloo is n/(n-1) times dr-grpo, the mean of the others as baseline", () =>
  fc.assert(fc.property(fc.array(grid, { minLength: 2 }), (scores) => {
    const trials = scores.map((score) => [[score]]);
    const n = scores.length;
    const sum = scores.reduce((a, b) => a + b);
    const rloo = advantagesOf(trials, "trials", "rloo").flat(2);
    const plain = advantagesOf(trials, "trials", "dr-grpo").flat(2);
    allClose(rloo, plain.map((a) => a * n / (n - 1)), 1e-12);
    allClose(rloo, scores.map((s) => s - (sum - s) / (n - 1)), 1e-12);
  })));

Deno.test("grpo has mean 0 and deviation 1 over its entries", () =>
  fc.assert(fc.property(fc.array(grid, { minLength: 2 }), (scores) => {
    fc.pre(new Set(scores).size > 1);
    const trials = scores.map((score) => [[score]]);
    const found = Float64Array.from(
      advantagesOf(trials, "trials", "grpo").flat(2),
    );
    const { mean, deviation } = momentsOf(found, found.length);
    // The deviation of the scores is above 0.01, so ε is below 1e-4 of it.
    allClose([mean, deviation], [0, 1], 1e-4);
  })));

Deno.test("a constant added to all scores changes no advantage", () =>
  fc.assert(
    fc.property(
      groups(2),
      pools,
      fc.constantFrom(...ESTIMATORS),
      grid,
      (trials, pool, estimator, constant) => {
        // A single entry keeps its score, and so feels the constant.
        fc.pre(entriesOf(trials, pool).length > 1);
        const moved = trials.map((episodes) =>
          episodes.map((own) => own.map((score) => score + constant))
        );
        allClose(
          advantagesOf(moved, pool, estimator).flat(2),
          advantagesOf(trials, pool, estimator).flat(2),
          // Rounding, over a deviation of ε and little more.
          1e-7,
        );
      },
    ),
  ));

/** A list in an order drawn of it. */
const ordered = <A>(items: ReadonlyArray<A>) =>
  fc.shuffledSubarray(items.map((_, i) => i), {
    minLength: items.length,
    maxLength: items.length,
  });

Deno.test("advantages go with their trials and rows", () =>
  fc.assert(
    fc.property(
      groups(1).chain((trials) =>
        fc.tuple(
          fc.constant(trials),
          ordered(trials),
          fc.tuple(...trials.map((t) => fc.tuple(...t.map(ordered)))),
        )
      ),
      pools,
      fc.constantFrom(...ESTIMATORS),
      ([trials, order, orders], pool, estimator) => {
        const move = (nested: Trials): Trials =>
          order.map((t) =>
            nested[t]!.map((own, e) => orders[t]![e]!.map((i) => own[i]!))
          );
        allClose(
          advantagesOf(move(trials), pool, estimator).flat(2),
          move(advantagesOf(trials, pool, estimator)).flat(2),
          // Rounding, over a deviation of ε and little more.
          1e-7,
        );
      },
    ),
  ));

Deno.test("a group of equal scores has no advantages, exactly", () =>
  fc.assert(
    fc.property(
      groups(2),
      pools,
      fc.constantFrom(...ESTIMATORS),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      (shape, pool, estimator, score) => {
        const trials = shape.map((t) => t.map((own) => own.map(() => score)));
        fc.pre(entriesOf(trials, pool).length > 1);
        const found = advantagesOf(trials, pool, estimator).flat(2);
        ok(found.every((a) => a === 0), `${found}`);
      },
    ),
  ));

Deno.test("a group of one keeps its score, and has no pass@k", () => {
  const of = (estimator: Estimator) =>
    advantagesOf([[[0.36]]], "rows", estimator).flat(2);
  deepEqual(of("grpo"), [0.36 * (1 / (1 + EPSILON))]);
  deepEqual(of("dr-grpo"), [0.36]);
  deepEqual(of("rloo"), [0.36]);
  deepEqual(of("pass-at-k"), [0]);
});

Deno.test("pass-at-k pays the best entry its lead, and all its rows alike", () => {
  const trials = [[[1, 3], [6]], [[8, 2], []], [[4]]];
  const found = (pool: Pool) => advantagesOf(trials, pool, "pass-at-k");
  const worth = (lead: number, entries: ReadonlyArray<number>) => {
    const mean = entries.reduce((a, b) => a + b) / entries.length;
    const squares = entries.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    return lead / (Math.sqrt(squares / (entries.length - 1)) + 1e-6);
  };
  const all = worth(2, [1, 3, 6, 8, 2, 4]);
  deepEqual(found("rows"), [[[0, 0], [0]], [[all, 0], []], [[0]]]);
  const each = worth(1, [2, 6, 5, 4]);
  deepEqual(found("episodes"), [[[0, 0], [each]], [[0, 0], []], [[0]]]);
  const whole = worth(1, [4, 5, 4]);
  deepEqual(found("trials"), [[[0, 0], [0]], [[whole, whole], []], [[0]]]);
});

Deno.test("pass-at-k of two best entries is 0: neither is needed", () =>
  fc.assert(fc.property(fc.array(grid, { minLength: 1 }), (scores) => {
    const best = Math.max(...scores);
    const trials = [...scores, best].map((score) => [[score]]);
    const found = advantagesOf(trials, "trials", "pass-at-k").flat(2);
    ok(found.every((a) => a === 0));
  })));

peerTest("momentsOf() is what numpy gives", ["numpy"], async () => {
  const lists = fc.sample(
    fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), {
      minLength: 2,
    }),
    { numRuns: 200, seed: 5 },
  );
  const printed = await python("credit_peer.py", [
    "moments",
    JSON.stringify(lists),
  ]);
  const found = lists.flatMap((entries) => {
    const { mean, deviation } = momentsOf(
      Float64Array.from(entries),
      entries.length,
    );
    return [mean, deviation];
  });
  allClose(found, JSON.parse(printed), 1e-12);
});
