/** Advantages over time, against sums over all later steps. */
import { deepEqual, ok } from "node:assert/strict";
import * as fc from "fast-check";
import type { Trial } from "../../../../pipeline/schema.ts";
import { allClose } from "../../../all_close.ts";
import { advantagesOf, credited, groups, holds, returnsOf } from "./groups.ts";
import { deviation, mean } from "./plain.ts";

/** A step, with the discount that leads behind it and the value there. */
interface Step {
  readonly reward: number;
  readonly value: number;
  readonly ratio: number;
  readonly discount: number;
  readonly behind: number;
}

interface Choices {
  readonly gamma: number;
  readonly "gamma-trial": number;
  readonly lambda: number;
  readonly cut: "episode" | "trial";
}

/** Runs of steps that hand credit back among them, in the order of the trial. */
function runsOf(
  { episodes }: Trial,
  { gamma, "gamma-trial": gammaTrial, cut }: Choices,
): ReadonlyArray<ReadonlyArray<Step>> {
  const played = episodes.filter(({ rewards }) => rewards.length > 0);
  const runs = played.map((own, n): ReadonlyArray<Step> => {
    const next = cut === "trial" ? played[n + 1] : undefined;
    const length = own.rewards.length;
    return own.rewards.map((reward, t) => {
      const isLast = t === length - 1;
      const end = own.terminated ? 0 : own.values![length]!;
      return {
        reward,
        value: own.values![t]!,
        ratio: Math.exp(own.target_logprobs![t]! - own.logprobs![t]!),
        discount: isLast && next ? gammaTrial : gamma,
        behind: isLast ? next?.values?.[0] ?? end : own.values![t + 1]!,
      };
    });
  });
  return cut === "trial" ? [runs.flat()] : runs;
}

/** Sum over later steps of what `of` gives, times the product of `by` till then. */
function sumOver(
  run: ReadonlyArray<Step>,
  from: number,
  of: (step: Step) => number,
  by: (step: Step) => number,
): number {
  let [sum, weight] = [0, 1];
  for (const step of run.slice(from)) {
    sum += weight * of(step);
    weight *= by(step);
  }
  return sum;
}

const delta = ({ reward, discount, behind, value }: Step) =>
  reward + discount * behind - value;

const choices = fc.record({
  gamma: fc.constantFrom(0, 0.5, 0.95, 1),
  "gamma-trial": fc.constantFrom(0, 0.6, 1),
  lambda: fc.constantFrom(0, 0.5, 0.9, 1),
  cut: fc.constantFrom("episode", "trial"),
});
const trials = groups().map((drawn) => drawn.flat());

const steps = (name: "returns" | "advantages", { episodes }: Trial) =>
  episodes.flatMap((played) => played[name]!);

Deno.test("gae is the sum of temporal differences, and returns are it and the value", () =>
  holds(fc.tuple(trials, choices), async ([drawn, chosen]) => {
    const { lambda } = chosen;
    const found = await credited(drawn, { ...chosen, advantage: "gae" });
    found.forEach((trial, k) => {
      const runs = runsOf(drawn[k]!, chosen as Choices);
      const wanted = runs.flatMap((run) =>
        run.map((_, i) =>
          sumOver(run, i, delta, ({ discount }) => discount * lambda)
        )
      );
      allClose(steps("advantages", trial), wanted, 1e-9);
      const values = runs.flat().map(({ value }) => value);
      allClose(
        steps("returns", trial),
        wanted.map((a, i) => a + values[i]!),
        1e-9,
      );
    });
  }, 300));

Deno.test("gae with lambda 1 is Monte Carlo less the value", () =>
  holds(fc.tuple(trials, choices), async ([drawn, chosen]) => {
    const given = { ...chosen, lambda: 1, advantage: "gae" };
    const found = await credited(drawn, given);
    found.forEach((trial, k) => {
      const wanted = runsOf(drawn[k]!, chosen as Choices).flatMap((run) =>
        run.map(({ value }, i) => {
          const last = run.at(-1)!;
          const reward = (step: Step) =>
            step.reward + (step === last ? step.discount * step.behind : 0);
          return sumOver(run, i, reward, ({ discount }) => discount) - value;
        })
      );
      allClose(steps("advantages", trial), wanted, 1e-9);
    });
  }));

Deno.test("vtrace is equation 1 of Espeholt and others, step by step", () =>
  holds(
    fc.tuple(
      trials,
      choices,
      fc.constantFrom(0.5, 1, 2),
      fc.constantFrom(0.5, 1, 2),
    ),
    async ([drawn, chosen, rhoClip, cClip]) => {
      const found = await credited(drawn, {
        ...chosen,
        advantage: "vtrace",
        "rho-clip": rhoClip,
        "c-clip": cClip,
      });
      const rho = ({ ratio }: Step) => Math.min(rhoClip, ratio);
      const c = ({ ratio }: Step) => chosen.lambda * Math.min(cClip, ratio);
      found.forEach((trial, k) => {
        const runs = runsOf(drawn[k]!, chosen as Choices);
        const target = (run: ReadonlyArray<Step>, i: number) =>
          run[i]!.value + sumOver(
            run,
            i,
            (step) => rho(step) * delta(step),
            (step) => step.discount * c(step),
          );
        const targets = runs.flatMap((run) =>
          run.map((_, i) => target(run, i))
        );
        allClose(steps("returns", trial), targets, 1e-9);
        const wanted = runs.flatMap((run) =>
          run.map((step, i) => {
            const next = i + 1 < run.length ? target(run, i + 1) : step.behind;
            return rho(step) *
              (step.reward + step.discount * next - step.value);
          })
        );
        allClose(steps("advantages", trial), wanted, 1e-9);
      });
    },
    300,
  ));

Deno.test("reflections have the advantage and return of the step behind them", () =>
  holds(
    fc.tuple(trials, fc.constantFrom("gae", "vtrace"), fc.boolean()),
    async ([drawn, advantage, whiten]) => {
      for (const { episodes } of await credited(drawn, { advantage, whiten })) {
        episodes.forEach(({ reflection }, n) => {
          if (!reflection) return;
          const next = episodes.slice(n + 1).find(({ rewards }) =>
            rewards.length > 0
          );
          if (next === undefined && whiten) return;
          allClose([reflection.advantage!], [next?.advantages?.[0] ?? 0], 0);
          allClose([reflection.return!], [next?.returns?.[0] ?? 0], 0);
        });
      }
    },
  ));

Deno.test("--preset ppo is gae, whitened over the groups of a batch", () =>
  holds(groups({ groups: 2 }), async (drawn) => {
    const given = { gamma: 1, "gamma-trial": 0, advantage: "gae" };
    const found = await credited(drawn.flat(), { preset: "ppo", batch: 2 });
    const plain = await credited(drawn.flat(), given);
    deepEqual(found.flatMap(returnsOf), plain.flatMap(returnsOf));
    const sizes = drawn.map(({ length }) => length);
    const wanted = [[0, sizes[0]! + sizes[1]!], [sizes[0]! + sizes[1]!]]
      .flatMap(([from, to]) => {
        const all = plain.slice(from, to).flatMap(advantagesOf);
        const variance = all.length < 2 ? 0 : deviation(all) ** 2;
        return all.map((a) => (a - mean(all)) / Math.sqrt(variance + 1e-8));
      });
    allClose(found.flatMap(advantagesOf), wanted, 1e-6);
  }));

Deno.test("credit stops at episodes with --cut episode, and goes on with trial", async () => {
  const drawn = fc.sample(groups({ steps: 1 }), { numRuns: 20, seed: 5 })
    .flatMap((drawn, i) =>
      drawn.flat().map((trial) => ({
        ...trial,
        task: { ...trial.task, id: `${i} ${trial.task.id}` },
      }))
    );
  const given = { advantage: "gae", "gamma-trial": 0.6 };
  // Rewards of last episodes alone are changed.
  const changed = drawn.map((trial) => ({
    ...trial,
    episodes: trial.episodes.map((played, n) =>
      n < trial.episodes.length - 1
        ? played
        : { ...played, rewards: played.rewards.map((r) => r + 1) }
    ),
  }));
  const earlier = (rows: ReadonlyArray<Trial>) =>
    rows.flatMap(({ episodes }) =>
      episodes.slice(0, -1).flatMap((played) => played.advantages!)
    );
  const cut = { ...given, cut: "episode" };
  deepEqual(
    earlier(await credited(changed, cut)),
    earlier(await credited(drawn, cut)),
  );
  const before = earlier(await credited(drawn, { ...given, cut: "trial" }));
  const after = earlier(await credited(changed, { ...given, cut: "trial" }));
  ok(after.length > 50);
  ok(after.every((a, i) => a > before[i]!));
});
