import type { BandedMdp } from "../../kernels/solvers/banded.ts";
import { solveDiscounts } from "../../kernels/solvers/policy_iteration.ts";
import { normal } from "../../kernels/random/distributions.ts";
import type { Generator } from "../../kernels/random/generator.ts";
import {
  defineEnvironment,
  isRefusal,
  type Observation,
  type Transition,
} from "../env.ts";
import { drawOutcome, drawStart, outcomesOf } from "../outcomes.ts";
import { num } from "../params.ts";
import { roundReward } from "../reward.ts";
import type { Table } from "../table.ts";
import { PARAMS, wantedOf } from "./anymdp.ts";
import { drawEmission, drawSymbol } from "./emission.ts";
import { type Frame, sampleAnyMdp } from "./sample.ts";
import { bandsOf, tableOf } from "./table.ts";
import type { AnyMdpTask } from "./task.ts";

/** A task whose states are hidden. */
export interface PartialTask {
  readonly world: AnyMdpTask;
  readonly symbols: number;
  /** One matrix for each token of an observation. */
  readonly emissions: ReadonlyArray<ReadonlyArray<number>>;
  /** Actions that are taken one after the other in a step. */
  readonly actionTokens: number;
}

/** The discount of the reference that labels are made by. */
const GAMMA = 0.994;

const tables = new WeakMap<PartialTask, Table>();

function look(task: PartialTask): Table {
  let table = tables.get(task);
  if (table === undefined) {
    table = tableOf(task.world);
    tables.set(task, table);
  }
  return table;
}

function see(task: PartialTask, state: number, random: Generator): Observation {
  const { emissions, symbols } = task;
  const seen = emissions.map((matrix) =>
    drawSymbol(random, matrix, symbols, state)
  );
  return seen.length === 1 ? seen[0]! : seen;
}

/** The tokens of an action, the first to be taken first. */
export function tokensOf(
  action: number,
  actions: number,
  tokens: number,
): ReadonlyArray<number> {
  return Array.from(
    { length: tokens },
    (_, i) => Math.floor(action / actions ** (tokens - 1 - i)) % actions,
  );
}

function step(
  task: PartialTask,
  from: number,
  action: number,
  random: Generator,
): Transition<number> {
  const table = look(task);
  const outcomes = outcomesOf(table);
  let [state, paid, terminated] = [from, 0, false];
  for (const token of tokensOf(action, table.actions, task.actionTokens)) {
    const k = drawOutcome(outcomes, state * table.actions + token, random);
    const deviation = table.rewardDeviations![k]!;
    paid += table.reward[k]!;
    if (deviation > 0) paid += deviation * normal(random);
    state = table.next[k]!;
    terminated = table.terminal[k] === 1;
    if (terminated) break;
  }
  const observation = see(task, state, random);
  return {
    state,
    observation,
    reward: roundReward(paid, table.rewardParts),
    terminated,
  };
}

/**
 * The MDP whose actions are an action of `last` after one of `mdp`; what is
 * after an end pays nothing, since rows of ends are empty.
 */
function chained(mdp: BandedMdp, last: BandedMdp): BandedMdp {
  const { states } = mdp;
  const actions = mdp.actions * last.actions;
  const rows = states * actions;
  const probability = new Float64Array(rows * states);
  const reward = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const first = Math.floor(row / last.actions);
    const token = row % last.actions;
    reward[row] = mdp.reward[first]!;
    for (let j = mdp.from[first]!; j < mdp.to[first]!; j++) {
      const p = mdp.probability[mdp.offset[first]! + j - mdp.from[first]!]!;
      const then = j * last.actions + token;
      reward[row] = reward[row]! + p * last.reward[then]!;
      const shift = last.offset[then]! - last.from[then]!;
      for (let i = last.from[then]!; i < last.to[then]!; i++) {
        const at = row * states + i;
        probability[at] = probability[at]! + p * last.probability[shift + i]!;
      }
    }
  }
  return {
    states,
    actions,
    from: new Int32Array(rows),
    to: new Int32Array(rows).fill(states),
    offset: Int32Array.from({ length: rows }, (_, row) => row * states),
    probability,
    reward,
  };
}

/** The best actions of one who sees the state, by rank. */
function best({ world, actionTokens }: PartialTask): Int32Array {
  const own = bandsOf(world);
  let mdp = own;
  for (let i = 1; i < actionTokens; i++) mdp = chained(mdp, own);
  return solveDiscounts(mdp, [GAMMA])[0]!.policy;
}

/**
 * {@linkcode anymdp} with hidden states (AnyPOMDP and MTPOMDP of Wang and others
 * 2025, arXiv 2502.02869): a step shows symbols, each drawn from the state's row
 * of a random matrix of its own, and takes several actions one after the other,
 * whose rewards are added. An action is its tokens as digits, the first the
 * highest. The optimum is that of one who sees the state, at a discount of 0.994.
 */
export const anymdpPartial = defineEnvironment<PartialTask, number>({
  name: "anymdp-partial",
  version: 1,
  summary: "A random world of which symbols are seen, not states",
  params: {
    ...PARAMS,
    symbols: {
      default: 64,
      integer: true,
      min: 1,
      max: 1024,
      summary: "Symbols that may be seen",
    },
    "observation-tokens": {
      default: 1,
      integer: true,
      min: 1,
      max: 16,
      summary: "Symbols that are seen at once",
    },
    "action-tokens": {
      default: 1,
      integer: true,
      min: 1,
      max: 2,
      summary: "Actions that are taken at once",
    },
  },
  label: (params) =>
    `${params.states}x${params.actions}-${params.symbols}` +
    `x${params["observation-tokens"]}x${params["action-tokens"]}`,
  sampleTask: (random, params, kept) => {
    // What a refusal kept is a frame, since it comes from this sampler.
    const frame = kept as Frame | undefined;
    const world = sampleAnyMdp(random, wantedOf(params), frame);
    if (isRefusal(world)) return world;
    const symbols = num(params, "symbols");
    const emissions = Array.from(
      { length: num(params, "observation-tokens") },
      () => drawEmission(random, world.mapping.length, symbols),
    );
    const actionTokens = num(params, "action-tokens");
    return { world, symbols, emissions, actionTokens };
  },
  observations: ({ symbols, emissions }) =>
    emissions.length === 1
      ? { kind: "discrete", n: symbols }
      : { kind: "box", shape: [emissions.length] },
  actions: ({ world, actionTokens }) => world.actions ** actionTokens,
  horizon: ({ world }) => Math.ceil(world.maxSteps),
  reset: (task, random) => {
    const state = drawStart(look(task), random);
    return { state, observation: see(task, state, random) };
  },
  step,
  optimal: (task) => {
    const actions = best(task);
    return (state) => actions[state]!;
  },
});
