import { deepEqual, equal, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import {
  actionValues,
  type BandedMdp,
  bandedOf,
} from "../../../kernels/solvers/banded.ts";
import { linearScratch } from "../../../kernels/solvers/elimination.ts";
import {
  evaluatePolicy,
  evaluateUniform,
  greedy,
  iteratePolicy,
  solveDiscounts,
} from "../../../kernels/solvers/policy_iteration.ts";
import { iterateValues } from "../../../kernels/solvers/value_iteration.ts";
import { generator, integer } from "../../../kernels/random/generator.ts";
import { rootKey } from "../../../kernels/random/key.ts";
import { anyBands, fullRow, randomBands } from "./mdps.ts";

const anyDiscount = fc.constantFrom(0, 0.5, 0.93, 0.99, 0.994, 0.999);

function close(a: number, b: number, tolerance = 1e-10): void {
  ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);
}

function solved(mdp: BandedMdp, discount: number) {
  const policy = new Int32Array(mdp.states);
  const values = new Float64Array(mdp.states);
  const scratch = linearScratch(mdp.states);
  const rounds = iteratePolicy(mdp, discount, policy, values, scratch);
  return { policy, values, rounds };
}

Deno.test("iteratePolicy() solves the equation of optimality", () => {
  fc.assert(fc.property(anyBands, anyDiscount, (mdp, discount) => {
    const { policy, values, rounds } = solved(mdp, discount);
    const { states, actions } = mdp;
    const q = new Float64Array(states * actions);
    actionValues(mdp, discount, values, q);
    for (let s = 0; s < states; s++) {
      const own = q.subarray(s * actions, (s + 1) * actions);
      close(values[s]!, Math.max(...own));
      close(values[s]!, own[policy[s]!]!);
    }
    ok(rounds < 30);
  }));
});

Deno.test("evaluatePolicy() and evaluateUniform() solve their equations", () => {
  fc.assert(
    fc.property(anyBands, anyDiscount, fc.nat(), (mdp, discount, seed) => {
      const { states, actions } = mdp;
      const random = generator(rootKey(seed));
      const policy = Int32Array.from(
        { length: states },
        () => integer(random, actions),
      );
      const values = new Float64Array(states);
      const q = new Float64Array(states * actions);
      // Larger than need be, and not blank: what is left there must not matter.
      const scratch = linearScratch(states + 3);
      scratch.matrix.fill(NaN);
      evaluatePolicy(mdp, discount, policy, values, scratch);
      actionValues(mdp, discount, values, q);
      policy.forEach((a, s) => close(values[s]!, q[s * actions + a]!));
      evaluateUniform(mdp, discount, values, scratch);
      actionValues(mdp, discount, values, q);
      for (let s = 0; s < states; s++) {
        const own = q.subarray(s * actions, (s + 1) * actions);
        close(values[s]!, own.reduce((a, b) => a + b, 0) / actions);
      }
    }),
  );
});

Deno.test("iterateValues() keeps to its bound", () => {
  const discounts = fc.constantFrom(0, 0.5, 0.93, 0.99);
  const tolerances = fc.constantFrom(1e-10, 1e-3, 1);
  fc.assert(
    fc.property(anyBands, discounts, tolerances, (mdp, discount, tolerance) => {
      const exact = solved(mdp, discount).values;
      const values = new Float64Array(mdp.states);
      const { bound } = iterateValues(mdp, discount, values, tolerance);
      ok(bound <= tolerance);
      values.forEach((value, s) => close(value, exact[s]!, bound + 1e-11));
    }),
    { numRuns: 50 },
  );
});

Deno.test("iterateValues() stops at its limit, with the bound it has", () => {
  const mdp = randomBands(generator(rootKey(3)), {
    states: 9,
    actions: 2,
    ends: 0.2,
  });
  const values = new Float64Array(9);
  const { sweeps, bound } = iterateValues(mdp, 0.999, values, 1e-10, 7);
  equal(sweeps, 7);
  ok(bound > 1e-10);
  const exact = solved(mdp, 0.999).values;
  values.forEach((value, s) => close(value, exact[s]!, bound + 1e-9));
});

Deno.test("solveDiscounts() is the same as one by one, lowest action first", () => {
  fc.assert(fc.property(anyBands, (mdp) => {
    const gammas = [0, 0.5, 0.93, 0.994];
    solveDiscounts(mdp, gammas).forEach(({ discount, policy, values }, i) => {
      equal(discount, gammas[i]);
      const alone = solved(mdp, discount);
      values.forEach((value, s) => close(value, alone.values[s]!));
      greedy(mdp, discount, alone.values, alone.policy);
      deepEqual(policy, alone.policy);
    });
  }));
});

Deno.test("greedy() takes the lowest of equal actions", () => {
  const mdp = randomBands(generator(rootKey(5)), {
    states: 6,
    actions: 1,
    ends: 0,
  });
  const thrice = (rows: Int32Array) =>
    Int32Array.from([...rows].flatMap((x) => [x, x, x]));
  const tripled = {
    ...mdp,
    actions: 3,
    from: thrice(mdp.from),
    to: thrice(mdp.to),
    offset: thrice(mdp.offset),
    reward: Float64Array.from([...mdp.reward].flatMap((r) => [r - 1e-3, r, r])),
  };
  const [best] = solveDiscounts(tripled, [0.9]);
  deepEqual([...best!.policy], [1, 1, 1, 1, 1, 1]);
});

Deno.test("bandedOf() gathers outcomes, and leaves out those that end", () => {
  const mdp = bandedOf({
    states: 3,
    actions: 1,
    branches: 3,
    next: Int32Array.of(2, 0, 2, 1, 1, 0, 2, 2, 2),
    probability: Float64Array.of(0.25, 0.25, 0.5, 0.5, 0.5, 0, 1, 0, 0),
    reward: Float64Array.of(1, 2, 3, 4, 6, 99, 7, 99, 99),
    terminal: Uint8Array.of(0, 0, 0, 0, 1, 0, 1, 1, 1),
  });
  deepEqual([0, 1, 2].map((row) => fullRow(mdp, row)), [
    [0.25, 0, 0.75],
    [0, 0.5, 0],
    [0, 0, 0],
  ]);
  deepEqual([...mdp.reward], [2.25, 5, 7]);
});

const python = fileURLToPath(
  new URL("../../../.venv/bin/python", import.meta.url),
);
const script = fileURLToPath(new URL("exact_solve.py", import.meta.url));

async function runPython(
  args: Array<string>,
  stdin: string,
): Promise<string | undefined> {
  try {
    const child = new Deno.Command(python, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
    const { success, stdout } = await child.output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
}

const installed = await runPython(["-c", "import numpy"], "") !== undefined;

Deno.test({
  name: installed
    ? "solvers agree with numpy's linear solve to 1e-10"
    : "solvers against numpy: no .venv/bin/python that has numpy",
  ignore: !installed,
  async fn() {
    const random = generator(rootKey(11));
    const mdps = [1, 2, 5, 16, 33, 64, 128].map((states) =>
      randomBands(random, { states, actions: 5, ends: states % 2 ? 0.1 : 0 })
    );
    const discounts = [0, 0.5, 0.93, 0.99, 0.994];
    const given = mdps.map((mdp) => ({
      transition: Array.from(
        { length: mdp.states },
        (_, s) => [0, 1, 2, 3, 4].map((a) => fullRow(mdp, s * 5 + a)),
      ),
      reward: Array.from(
        { length: mdp.states },
        (_, s) => [...mdp.reward.subarray(s * 5, s * 5 + 5)],
      ),
      discounts,
    }));
    const theirs: Array<
      Array<{ optimal: Array<number>; uniform: Array<number> }>
    > = JSON.parse((await runPython([script], JSON.stringify(given)))!);
    let worst = 0;
    mdps.forEach((mdp, i) => {
      const scratch = linearScratch(mdp.states);
      const uniform = new Float64Array(mdp.states);
      solveDiscounts(mdp, discounts, scratch).forEach(
        ({ values, discount }, d) => {
          evaluateUniform(mdp, discount, uniform, scratch);
          const { optimal, uniform: wanted } = theirs[i]![d]!;
          values.forEach((value, s) => {
            worst = Math.max(worst, Math.abs(value - optimal[s]!));
            worst = Math.max(worst, Math.abs(uniform[s]! - wanted[s]!));
          });
        },
      );
    });
    ok(worst <= 1e-10, `largest difference ${worst}`);
  },
});
