/**
 * The sampler of AnyMDP tasks, as the paper's program runs it: transitions,
 * rewards, shaping, acceptance. Each call makes one attempt; what the program
 * draws once for all attempts is kept from a refusal to the next.
 *
 * @module
 */
import { permutation } from "../../kernels/random/distributions.ts";
import type { Generator } from "../../kernels/random/generator.ts";
import type { BandedMdp } from "../../kernels/solvers/banded.ts";
import { linearScratch } from "../../kernels/solvers/elimination.ts";
import type { Refusal } from "../env.ts";
import { refusalOf } from "./acceptance.ts";
import { between, clip, exponentialOf, integerIn } from "./draws.ts";
import { memoryOfStart } from "./ergodicity.ts";
import { drawRewards } from "./rewards.ts";
import { shapeValues, type Solving } from "./shaping.ts";
import { drawEnds, drawStarts } from "./structure.ts";
import type { AnyMdpTask, Draft, RewardParts } from "./task.ts";
import { drawRows, type RowScratch, rowScratch } from "./transitions.ts";

/** What is asked for. */
export interface Wanted {
  readonly states: number;
  readonly actions: number;
  /** Fewest states that a task may have; 0 for exactly `states`. */
  readonly minStates: number;
  /** One width of the kernel for each action, not one for each state. */
  readonly widthEach: boolean;
  /** What a start may still matter after an episode; Infinity to not ask. */
  readonly memory: number;
  /** Rewards are paid in so many parts of 1. */
  readonly rewardParts: number;
}

/** What stands while the rest is drawn again. */
export interface Frame {
  readonly maxSteps: number;
  readonly mapping: ReadonlyArray<number>;
}

const BANDIT_BUDGET = 100;

/** The length of episodes, and which numbers ranks have. */
export function drawFrame(
  random: Generator,
  { states, minStates }: Pick<Wanted, "states" | "minStates">,
): Frame {
  const low = Math.max(4 * states, 100);
  const high = Math.max(Math.min(8 * states, 500), low + 1);
  const maxSteps = states < 2 ? 1 : between(random, low, high);
  const least = Math.min(minStates, states);
  const n = minStates === 0 ? states : integerIn(random, least, states + 1);
  const mapping = Array.from(permutation(random, states).subarray(0, n));
  return { maxSteps, mapping };
}

/** One state in which every step ends: arms of like means. */
function drawBandit(
  random: Generator,
  { states, actions, rewardParts }: Wanted,
  frame: Frame,
): AnyMdpTask | string {
  const base = clip(exponentialOf(random, 1), 0.05, 2);
  for (let i = 0; i < BANDIT_BUDGET; i++) {
    const means = Array.from(
      { length: actions },
      () => between(random, base / 2, base),
    );
    const mean = means.reduce((a, b) => a + b, 0) / actions;
    const square = means.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    if (Math.sqrt(square / actions) <= 0.01) continue;
    return {
      states,
      actions,
      ...frame,
      rewardParts,
      starts: [0],
      startProbability: [1],
      ends: [],
      goal: false,
      from: means.map(() => 0),
      width: means.map(() => 1),
      probability: means.map(() => 1),
      stateAction: means,
      arrival: [0],
      stateActionNoise: means.map((x) =>
        x * Math.max(0, between(random, -0.3, 0.3))
      ),
      arrivalNoise: [0],
    };
  }
  return "arms pay the same";
}

/** What attempts of one size are made in. */
interface Workspace extends Solving {
  readonly states: number;
  readonly actions: number;
  readonly rows: RowScratch;
  readonly reward: Float64Array;
  readonly bonus: Float64Array;
  readonly uniform: Float64Array;
}

function makeWorkspace(states: number, actions: number): Workspace {
  return {
    states,
    actions,
    rows: rowScratch(states, actions),
    reward: new Float64Array(states * actions),
    bonus: new Float64Array(states),
    uniform: new Float64Array(states),
    policy: new Int32Array(states),
    values: new Float64Array(states),
    linear: linearScratch(states),
  };
}

// Scratch alone: nothing in it is read before it is written in the same call.
let workspace = makeWorkspace(16, 5);

function workspaceOf(states: number, actions: number): Workspace {
  if (workspace.states !== states || workspace.actions !== actions) {
    workspace = makeWorkspace(states, actions);
  }
  return workspace;
}

/** Starts and ends of one attempt, or why there are none. */
function drawDraft(
  random: Generator,
  { actions }: Wanted,
  { maxSteps, mapping }: Frame,
): Draft | string {
  const n = mapping.length;
  const starts = drawStarts(random, n);
  if (starts === undefined) return "no start was drawn";
  const ends = drawEnds(random, n, starts.starts);
  if (ends === undefined) return "too many pitfalls were drawn";
  return { states: n, actions, maxSteps, ...starts, ...ends };
}

function taskOf(
  { states, actions, rewardParts }: Wanted,
  { maxSteps, mapping }: Frame,
  { starts, startProbability, ends, goal }: Draft,
  { from, to, offset, probability }: BandedMdp,
  { stateAction, arrival, stateActionNoise, arrivalNoise }: RewardParts,
  bonus: Float64Array,
): AnyMdpTask {
  const last = from.length - 1;
  // Rows that are empty at the end have no offset of their own.
  let size = 0;
  for (let row = 0; row <= last; row++) {
    if (to[row]! > from[row]!) size = offset[row]! + to[row]! - from[row]!;
  }
  return {
    states,
    actions,
    maxSteps,
    rewardParts,
    mapping,
    starts,
    startProbability,
    ends: [...ends.keys()].filter((s) => ends[s] === 1),
    goal,
    from: Array.from(from),
    width: Array.from(to, (end, row) => end - from[row]!),
    probability: Array.from(probability.subarray(0, size)),
    stateAction: Array.from(stateAction),
    arrival: Array.from(arrival, (b, j) => b + bonus[j]!),
    stateActionNoise: Array.from(stateActionNoise),
    arrivalNoise: Array.from(arrivalNoise),
  };
}

/** One attempt at a task of more than one state: it, or why it is refused. */
function attempt(
  random: Generator,
  wanted: Wanted,
  frame: Frame,
): AnyMdpTask | string {
  const { actions, widthEach } = wanted;
  const draft = drawDraft(random, wanted, frame);
  if (typeof draft === "string") return draft;
  const { states, ends, goal } = draft;
  const work = workspaceOf(states, actions);
  const rows = drawRows(random, ends, actions, widthEach, work.rows);
  if (rows === undefined) return "a row does not sum to 1";
  const mdp = { states, actions, ...rows, reward: work.reward };
  if (wanted.memory < Infinity && memoryOfStart(mdp, draft) > wanted.memory) {
    return "uniform play remembers its start";
  }
  const parts = drawRewards(random, ends, goal, actions);
  work.policy.fill(0);
  const why = shapeValues(random, draft, mdp, parts, work.bonus, work) ??
    refusalOf(mdp, draft, work, work.uniform);
  return why ?? taskOf(wanted, frame, draft, mdp, parts, work.bonus);
}

/** One attempt at a task; `kept` is what the refusal before it kept. */
export function sampleAnyMdp(
  random: Generator,
  wanted: Wanted,
  kept?: Frame,
): AnyMdpTask | Refusal {
  const frame = kept ?? drawFrame(random, wanted);
  const made = frame.mapping.length === 1
    ? drawBandit(random, wanted, frame)
    : attempt(random, wanted, frame);
  return typeof made === "string" ? { refused: made, kept: frame } : made;
}
