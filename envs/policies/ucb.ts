import { num, type Params } from "../params.ts";
import { type Actor, integersOnly, type Policy, type Trial } from "./policy.ts";

/** What the arms paid: over all pulls, or over the last `window` of them. */
interface Tally {
  readonly counts: Float64Array;
  readonly sums: Float64Array;
  readonly add: (arm: number, reward: number) => void;
}

function tally(arms: number, window: number): Tally {
  const [counts, sums] = [new Float64Array(arms), new Float64Array(arms)];
  const [keptArms, keptRewards] = [
    new Int32Array(window),
    new Float64Array(window),
  ];
  let pulls = 0;
  const count = (arm: number, reward: number, sign: number) => {
    counts[arm] = counts[arm]! + sign;
    // Without pulls there is no sum, nor what rounding left of one.
    sums[arm] = counts[arm] === 0 ? 0 : sums[arm]! + sign * reward;
  };
  const add = (arm: number, reward: number) => {
    if (window > 0) {
      const slot = pulls % window;
      if (pulls >= window) count(keptArms[slot]!, keptRewards[slot]!, -1);
      keptArms[slot] = arm;
      keptRewards[slot] = reward;
    }
    pulls++;
    count(arm, reward, 1);
  };
  return { counts, sums, add };
}

/** The bonus of an arm pulled `n` times by pull `t`, counted from 1. */
function bonus(params: Params): (t: number, n: number) => number {
  const c = num(params, "coefficient");
  return params.form === "ucb1"
    ? (t, n) => c * Math.sqrt(2 * Math.log(t) / n)
    : (_, n) => c / Math.sqrt(n);
}

function start({ actions, params }: Trial): Actor {
  const window = num(params, "window");
  const { counts, sums, add } = tally(actions, window);
  const extra = bonus(params);
  let pulls = 0;
  return {
    act: () => {
      const t = window > 0 ? Math.min(pulls, window) : pulls;
      let [chosen, best] = [0, -Infinity];
      for (let arm = 0; arm < actions; arm++) {
        const n = counts[arm]!;
        if (n === 0) return arm;
        const worth = sums[arm]! / n + extra(t, n);
        if (worth > best) [chosen, best] = [arm, worth];
      }
      return chosen;
    },
    learn: (_, arm, reward) => {
      pulls++;
      add(arm, reward);
    },
  };
}

/**
 * Pulls the arm of the highest upper confidence bound: the mean and
 * `coefficient` / sqrt(n) (the form of Lee and others 2023), or the mean and
 * sqrt(2 ln t / n) times it (UCB1: Auer, Cesa-Bianchi and Fischer 2002). With a
 * window only its last pulls count (Garivier and Moulines 2011). Every arm is
 * pulled once first, in order; what was learned is kept across episodes.
 */
export const ucb: Policy = {
  name: "ucb",
  summary: "The bandit arm of the highest upper confidence bound",
  params: {
    form: {
      default: "mean-inverse-sqrt",
      choices: ["mean-inverse-sqrt", "ucb1"],
      summary: "The bonus: 1 / sqrt(n), or sqrt(2 ln t / n)",
    },
    coefficient: { default: 1, min: 0, summary: "What the bonus is times" },
    window: {
      default: 0,
      integer: true,
      min: 0,
      max: 1_000_000,
      summary: "Last pulls that count; 0 for all",
    },
  },
  refuses: integersOnly(({ observations }) =>
    observations === 1 ? undefined : "the environment is not a bandit"
  ),
  start,
};
