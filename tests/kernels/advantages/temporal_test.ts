import { deepEqual } from "node:assert/strict";
import * as fc from "fast-check";
import {
  type Clips,
  gae,
  lambdaReturns,
  type TemporalOptions,
  type ValuedTrial,
  vtrace,
} from "../../../kernels/advantages/temporal.ts";
import { allClose } from "../../all_close.ts";
import { peerTest, python } from "../../peers.ts";
import { grid } from "./groups.ts";

/** An episode of T steps: rewards, T + 1 values, log-probabilities. */
interface Episode {
  readonly rewards: ReadonlyArray<number>;
  readonly values: ReadonlyArray<number>;
  readonly target: ReadonlyArray<number>;
  readonly behaviour: ReadonlyArray<number>;
  readonly terminated: boolean;
}

const logProb = fc.integer({ min: -16, max: 0 }).map((n) => n / 8);
const list = <A>(of: fc.Arbitrary<A>, length: number) =>
  fc.array(of, { minLength: length, maxLength: length });

const episodeOf = (length: number): fc.Arbitrary<Episode> =>
  fc.record({
    rewards: list(grid, length),
    values: list(grid, length + 1),
    target: list(logProb, length),
    behaviour: list(logProb, length),
    terminated: fc.boolean(),
  });
const trialsFrom = (shortest: number) =>
  fc.array(fc.integer({ min: shortest, max: 5 }).chain(episodeOf), {
    minLength: 1,
    maxLength: 4,
  });
const trials = trialsFrom(0);
const unit = fc.integer({ min: 0, max: 16 }).map((n) => n / 16);
const cut = fc.constantFrom("episode" as const, "trial" as const);
const options = fc.record({
  gamma: unit,
  lambda: unit,
  gammaTrial: unit,
  cut,
});

function columnsOf(episodes: ReadonlyArray<Episode>): ValuedTrial {
  let steps = 0;
  return {
    rewards: Float64Array.from(episodes.flatMap(({ rewards }) => rewards)),
    values: Float64Array.from(episodes.flatMap(({ values }) => values)),
    ends: Int32Array.from(episodes, ({ rewards }) => steps += rewards.length),
    episodes: episodes.length,
    terminated: Uint8Array.from(episodes, (e) => Number(e.terminated)),
  };
}

type Fill = typeof gae;

function of(
  fill: Fill,
  episodes: ReadonlyArray<Episode>,
  given: TemporalOptions,
): Float64Array {
  const trial = columnsOf(episodes);
  const out = new Float64Array(trial.rewards.length);
  fill(trial, given, out);
  return out;
}

function vtraceOf(
  episodes: ReadonlyArray<Episode>,
  given: TemporalOptions,
  clips: Clips,
) {
  const trial = columnsOf(episodes);
  const steps = trial.rewards.length;
  const [targets, advantages] = [
    new Float64Array(steps),
    new Float64Array(steps),
  ];
  const ratio = {
    target: Float64Array.from(episodes.flatMap((e) => e.target)),
    behaviour: Float64Array.from(episodes.flatMap((e) => e.behaviour)),
    clips,
  };
  vtrace(trial, given, ratio, targets, advantages);
  return { targets, advantages };
}

/** A step as the definitions see it: what it pays, and what is behind it. */
interface Seen {
  readonly reward: number;
  readonly value: number;
  readonly ratio: number;
  /** γ', and V' where credit is not joined to a step behind. */
  readonly discount: number;
  readonly bootstrap: number | undefined;
}

/** All steps of a trial, in order. */
function seen(
  episodes: ReadonlyArray<Episode>,
  { gamma, gammaTrial, cut }: TemporalOptions,
): Array<Seen> {
  const played = episodes.filter(({ rewards }) => rewards.length > 0);
  return played.flatMap((episode, n) => {
    const crosses = cut === "trial" && n + 1 < played.length;
    return episode.rewards.map((reward, t): Seen => {
      const isLast = t + 1 === episode.rewards.length;
      const end = episode.terminated ? 0 : episode.values.at(-1)!;
      return {
        reward,
        value: episode.values[t]!,
        ratio: Math.exp(episode.target[t]! - episode.behaviour[t]!),
        discount: isLast && crosses ? gammaTrial : gamma,
        bootstrap: isLast && !crosses ? end : undefined,
      };
    });
  });
}

/** δ[t] */
function delta(steps: ReadonlyArray<Seen>, t: number): number {
  const { reward, value, discount, bootstrap } = steps[t]!;
  return reward + discount * (bootstrap ?? steps[t + 1]!.value) - value;
}

/** Σ_t (Π_{s ≤ i < t} γ'[i] w[i]) term[t], to where credit is cut. */
function directSum(
  steps: ReadonlyArray<Seen>,
  s: number,
  weight: (step: Seen) => number,
  term: (t: number) => number,
): number {
  let [sum, product] = [0, 1];
  for (let t = s; t < steps.length; t++) {
    sum += product * term(t);
    if (steps[t]!.bootstrap !== undefined) break;
    product *= steps[t]!.discount * weight(steps[t]!);
  }
  return sum;
}

/** Σ γ'… r, and V behind the last step reached. */
function monteCarlo(steps: ReadonlyArray<Seen>, s: number): number {
  return directSum(steps, s, () => 1, (t) => {
    const { reward, discount, bootstrap } = steps[t]!;
    return reward + discount * (bootstrap ?? 0);
  });
}

const holds = (
  law: (episodes: ReadonlyArray<Episode>, given: TemporalOptions) => void,
) => fc.assert(fc.property(trials, options, law));

Deno.test("gae() is the sum of (γ'λ)^l δ", () =>
  holds((episodes, given) => {
    const steps = seen(episodes, given);
    const expected = steps.map((_, s) =>
      directSum(steps, s, () => given.lambda, (t) => delta(steps, t))
    );
    allClose(of(gae, episodes, given), expected, 1e-9);
  }));

Deno.test("gae() with λ = 1 is Monte Carlo less the value", () =>
  holds((episodes, given) => {
    const steps = seen(episodes, given);
    const expected = steps.map(({ value }, s) => monteCarlo(steps, s) - value);
    allClose(of(gae, episodes, { ...given, lambda: 1 }), expected, 1e-9);
  }));

Deno.test("gae() with λ = 0 is δ of each step alone", () =>
  holds((episodes, given) => {
    const steps = seen(episodes, given);
    const expected = steps.map((_, t) => delta(steps, t));
    deepEqual([...of(gae, episodes, { ...given, lambda: 0 })], expected);
  }));

Deno.test("lambdaReturns() are gae() and the value", () =>
  holds((episodes, given) => {
    const advantages = of(gae, episodes, given);
    const values = seen(episodes, given).map(({ value }) => value);
    const expected = advantages.map((a, i) => a + values[i]!);
    allClose(of(lambdaReturns, episodes, given), expected, 1e-9);
  }));

Deno.test("lambdaReturns() weigh n-step returns by (1-λ) λ^(n-1)", () =>
  holds((episodes, given) => {
    const steps = seen(episodes, given);
    /** The return of n steps from s, the value behind them at the end. */
    const returnOf = (s: number, n: number): number => {
      const { reward, discount, bootstrap } = steps[s]!;
      if (bootstrap !== undefined) return reward + discount * bootstrap;
      const behind = n === 1 ? steps[s + 1]!.value : returnOf(s + 1, n - 1);
      return reward + discount * behind;
    };
    const { lambda } = given;
    const expected = steps.map((_, s) => {
      const far = steps.length;
      // From where credit is cut on, all n-step returns are the last one.
      let sum = lambda ** far * returnOf(s, far);
      for (let n = 1; n <= far; n++) {
        sum += (1 - lambda) * lambda ** (n - 1) * returnOf(s, n);
      }
      return sum;
    });
    allClose(of(lambdaReturns, episodes, given), expected, 1e-9);
  }));

const clips = fc.record({
  rho: fc.integer({ min: 1, max: 40 }).map((n) => n / 16),
  c: fc.integer({ min: 1, max: 40 }).map((n) => n / 16),
});

Deno.test("vtrace() is equation 1 of its paper, term by term", () =>
  fc.assert(
    fc.property(trials, options, clips, (episodes, given, clips) => {
      const steps = seen(episodes, given);
      const { lambda } = given;
      const rho = ({ ratio }: Seen) => Math.min(clips.rho, ratio);
      const c = ({ ratio }: Seen) => lambda * Math.min(clips.c, ratio);
      const v = (s: number) =>
        steps[s]!.value +
        directSum(steps, s, c, (t) => rho(steps[t]!) * delta(steps, t));
      const { targets, advantages } = vtraceOf(episodes, given, clips);
      allClose(targets, steps.map((_, s) => v(s)), 1e-9);
      const expected = steps.map((step, s) => {
        const behind = step.bootstrap ?? v(s + 1);
        return rho(step) * (step.reward + step.discount * behind - step.value);
      });
      allClose(advantages, expected, 1e-9);
    }),
  ));

Deno.test("vtrace() on policy gives λ-returns, and with λ = 1 the return", () =>
  holds((episodes, given) => {
    const onPolicy = episodes.map((e) => ({ ...e, target: e.behaviour }));
    const clips = { rho: 1, c: 1.5 };
    const { targets } = vtraceOf(onPolicy, given, clips);
    allClose(targets, of(lambdaReturns, episodes, given), 1e-9);
    const steps = seen(episodes, given);
    const whole = vtraceOf(onPolicy, { ...given, lambda: 1 }, clips);
    allClose(whole.targets, steps.map((_, s) => monteCarlo(steps, s)), 1e-9);
  }));

/** The episodes of a trial as one, of which the last alone can terminate. */
function joined(episodes: ReadonlyArray<Episode>): Episode {
  const all = <K extends keyof Episode>(name: K) =>
    episodes.flatMap((e) => e[name] as ReadonlyArray<number>);
  return {
    rewards: all("rewards"),
    values: [
      ...episodes.flatMap(({ values }) => values.slice(0, -1)),
      episodes.at(-1)!.values.at(-1)!,
    ],
    target: all("target"),
    behaviour: all("behaviour"),
    terminated: episodes.at(-1)!.terminated,
  };
}

Deno.test("a trial that is not cut is one long episode, where Γ is γ", () =>
  fc.assert(
    fc.property(trialsFrom(1), options, clips, (episodes, given, clips) => {
      const whole = {
        ...given,
        gammaTrial: given.gamma,
        cut: "trial",
      } as const;
      const alone = [joined(episodes)];
      for (const fill of [gae, lambdaReturns]) {
        deepEqual(of(fill, episodes, whole), of(fill, alone, whole));
      }
      deepEqual(
        vtraceOf(episodes, whole, clips),
        vtraceOf(alone, whole, clips),
      );
    }),
  ));

Deno.test("a trial cut at episodes is its episodes, one by one", () =>
  holds((episodes, given) => {
    const apart = { ...given, cut: "episode" } as const;
    const expected = episodes.flatMap((e) => [...of(gae, [e], apart)]);
    deepEqual([...of(gae, episodes, apart)], expected);
  }));

peerTest("gae() and vtrace() are what numpy gives", ["numpy"], async () => {
  const drawn = fc.sample(
    fc.tuple(fc.integer({ min: 1, max: 12 }).chain(episodeOf), options, clips),
    { numRuns: 100, seed: 7 },
  );
  const asked = JSON.stringify(
    drawn.map(([episode, given, clips]) => ({
      ...episode,
      ...given,
      ...clips,
    })),
  );
  const [advantages, targets] = await Promise.all(
    ["gae", "vtrace"].map((name) => python("credit_peer.py", [name, asked])),
  );
  allClose(
    drawn.flatMap(([e, given]) => [...of(gae, [e], given)]),
    JSON.parse(advantages!),
    1e-9,
  );
  allClose(
    drawn.flatMap(([e, given, clips]) => [
      ...vtraceOf([e], given, clips).targets,
    ]),
    JSON.parse(targets!),
    1e-9,
  );
});
