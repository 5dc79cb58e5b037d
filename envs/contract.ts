/**
 * The contract of an environment, as a check that any author can run.
 *
 * @module
 */
import {
  type Generator,
  generator,
  integer,
} from "../kernels/random/generator.ts";
import { foldIn, type Key } from "../kernels/random/key.ts";
import {
  type Action,
  type Actions,
  actionsInWords,
  drawAction,
  isAction,
} from "./actions.ts";
import {
  type Environment,
  isRefusal,
  type Space,
  type Transition,
} from "./env.ts";
import { type Params, type ParamValue, resolveParams } from "./params.ts";
import { optimalActions } from "./planning.ts";
import { tableFaults, transitionFaults } from "./table_contract.ts";

/** How much is checked. */
export interface ContractOptions {
  /** Parameters of the tasks; the defaults if not given. */
  readonly params?: { readonly [name: string]: ParamValue };
  /** Tasks that are drawn; 5 if not given. */
  readonly tasks?: number;
  /** Steps that are played on each task; 200 if not given. */
  readonly steps?: number;
}

/** Faults as they are found, each `clause: what is wrong`. */
type Faults = globalThis.Generator<string, void, undefined>;

const WORDS = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const LABEL = /^[a-z0-9][a-z0-9.-]*$/;
const DRAW_BUDGET = 100_000;

/** One task, and what is needed to play it. */
interface Case {
  readonly env: Environment;
  readonly task: unknown;
  readonly params: Params;
  readonly key: Key;
  readonly steps: number;
}

/** Equality of what a row can hold; -0 and undefined fields are told apart. */
function text(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) =>
      Object.is(part, -0) ? "-0" : part === undefined ? "undefined" : part,
  );
}

function isPlain(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value !== "object" || value === null) {
    return value === null || ["boolean", "string"].includes(typeof value);
  }
  return Object.getPrototypeOf(value) === Object.prototype &&
    Object.values(value).every(isPlain);
}

/** Whether an observation is one of the space. */
function isIn(space: Space, observation: unknown): boolean {
  if (space.kind === "text") return typeof observation === "string";
  if (space.kind === "discrete") {
    return Number.isInteger(observation) && (observation as number) >= 0 &&
      (observation as number) < space.n;
  }
  const size = space.shape.reduce((product, side) => product * side, 1);
  return Array.isArray(observation) && observation.length === size &&
    observation.every(Number.isFinite);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isActions(actions: Actions): boolean {
  if (typeof actions !== "object" || actions === null) return isCount(actions);
  const { kind, low, high, shape } = actions;
  return kind === "box" && Number.isFinite(low) && Number.isFinite(high) &&
    low < high && Array.isArray(shape) && shape.length === 1 &&
    isCount(shape[0]);
}

/**
 * Action `i` of a walk: every integer in turn, so that none goes without a try,
 * or the two far corners of the box; then uniform ones.
 */
function tried(actions: Actions, i: number, random: Generator): Action {
  if (typeof actions === "number") {
    return i < actions ? i : integer(random, actions);
  }
  const { low, high, shape } = actions;
  return i < 2
    ? new Array<number>(shape[0]).fill(i === 0 ? low : high)
    : drawAction(actions, random);
}

function* namesFaults({ name, version, summary, params }: Environment): Faults {
  if (!WORDS.test(name)) yield `name: ${text(name)} is not words and dashes`;
  if (!isCount(version)) yield `version: ${version} is not a count`;
  if (!summary) yield "summary: empty";
  for (const param of Object.keys(params)) {
    if (!WORDS.test(param)) {
      yield `params: ${text(param)} is not words and dashes`;
    }
  }
}

/** The next task that is not refused; undefined if too many are. */
function accepted(
  env: Environment,
  params: Params,
  random: Generator,
): unknown {
  let kept: unknown;
  for (let draws = 0; draws < DRAW_BUDGET; draws++) {
    const draw = env.sampleTask(random, params, kept);
    if (!isRefusal(draw)) return draw;
    kept = draw.kept;
    if (!draw.refused) return undefined;
  }
  return undefined;
}

function* taskFaults({ env, task, params, key }: Case): Faults {
  const again = accepted(env, params, generator(key));
  if (text(again) !== text(task)) {
    yield "sampleTask: equal keys give different tasks";
  }
  if (!isPlain(task)) yield "task: not plain data";
  if (!isActions(env.actions(task))) {
    yield "actions: not a count, and not a box of one vector";
  }
  if (!isCount(env.horizon(task))) yield "horizon: not a count";
  if (env.world) {
    const world = env.world(task);
    if (!isPlain(world)) yield "world: not plain data";
    const copy = JSON.parse(JSON.stringify(task));
    if (text(env.world(copy)) !== text(world)) {
      yield "world: differs between equal tasks";
    }
  }
  const label = env.label?.(params);
  if (label !== undefined && !LABEL.test(label)) {
    yield `label: ${text(label)} is not lower-case letters, digits, - and .`;
  }
  if (env.render && typeof env.render(task) !== "string") {
    yield "render: not text";
  }
}

function* startFaults({ env, task, key }: Case): Faults {
  const random = generator(foldIn(key, "starts"));
  const twin = random.slice();
  const start = env.reset(task, random);
  if (text(env.reset(task, twin)) !== text(start)) {
    yield "reset: equal random numbers give different starts";
  }
  if (!isIn(env.observations(task), start.observation)) {
    yield `observations: a start shows ${text(start.observation)}`;
  }
}

function* stepFaults(
  env: Environment,
  task: unknown,
  moved: Transition<unknown>,
): Faults {
  if (!Number.isFinite(moved.reward)) {
    yield `reward: ${moved.reward} is not finite`;
  }
  if (typeof moved.terminated !== "boolean") {
    yield `terminated: ${text(moved.terminated)} is not a boolean`;
  }
  if (!isIn(env.observations(task), moved.observation)) {
    yield `observations: a step shows ${text(moved.observation)}`;
  }
}

/** Steps twice from the same place: nothing may be remembered or changed. */
function* pureStep(
  { env, task }: Case,
  state: unknown,
  action: Action,
  random: Generator,
): globalThis.Generator<string, Transition<unknown>, undefined> {
  const before = text(state);
  const chosen = text(action);
  const twin = random.slice();
  const moved = env.step(task, state, action, random);
  if (text(state) !== before) yield "step: changes the state it is given";
  if (text(action) !== chosen) yield "step: changes the action it is given";
  const again = env.step(task, state, action, twin);
  if (text(again) !== text(moved)) {
    yield "step: equal arguments give different transitions";
  }
  return moved;
}

function* walkFaults(at: Case): Faults {
  const { env, task, key, steps } = at;
  const random = generator(foldIn(key, "walk"));
  const actions = env.actions(task);
  const table = env.table?.(task);
  const optimal = optimalActions(env, task);
  const hidden = text(task);
  let { state } = env.reset(task, random);
  let t = 0;
  for (let i = 0; i < steps; i++) {
    const best = optimal?.(state, t);
    if (best !== undefined && !isAction(actions, best)) {
      yield `optimal: ${text(best)} is not ${actionsInWords(actions)}`;
    }
    const action = tried(actions, i, random);
    const moved = yield* pureStep(at, state, action, random);
    yield* stepFaults(env, task, moved);
    if (table) yield* transitionFaults(table, state, action as number, moved);
    t++;
    const over = moved.terminated || t >= env.horizon(task);
    if (over) t = 0;
    // Nothing is asked of a state that ended an episode.
    state = over ? env.reset(task, random).state : moved.state;
  }
  if (text(task) !== hidden) yield "step: changes the task";
}

function* caseFaults(at: Case): Faults {
  yield* taskFaults(at);
  yield* startFaults(at);
  if (at.env.table) yield* tableFaults(at.env, at.task, at.key);
  yield* walkFaults(at);
}

function* allFaults(
  env: Environment,
  key: Key,
  { params: given = {}, tasks = 5, steps = 200 }: ContractOptions,
): Faults {
  yield* namesFaults(env);
  const params = resolveParams(env.params, given);
  for (let i = 0; i < tasks; i++) {
    const own = foldIn(key, "contract", i);
    const task = accepted(env, params, generator(own));
    if (task === undefined) {
      yield `sampleTask: ${DRAW_BUDGET} draws refused, or one without a reason`;
      return;
    }
    yield* caseFaults({ env, task, params, key: own, steps });
  }
}

/**
 * The clauses of the contract that `env` breaks, each once, as `clause: what is
 * wrong`; none if it keeps them all. The clauses are:
 *
 * - `name`, `version`, `summary`, `params`: words and dashes, counts, text, and
 *   parameters that resolve;
 * - `sampleTask`, `task`: equal keys give equal tasks, which are plain data;
 * - `actions`, `horizon`: counts; every action below `actions` is accepted, or
 *   vectors of a box;
 * - `reset`, `step`: functions of their arguments, which they leave unchanged;
 * - `observations`, `reward`, `terminated`: in the space, finite, a boolean;
 * - `table`: a finite MDP, and what `reset` and `step` do is as it says;
 * - `optimal`, `world`, `label`, `render`: actions, plain data that is equal for
 *   equal tasks, short words, text;
 * - `throws`: none of this throws.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { rootKey } from "../kernels/random/key.ts";
 * import { darkRoom } from "./dark_room.ts";
 *
 * deepEqual(checkEnvironment(darkRoom, rootKey(1)), []);
 * const shouting = { ...darkRoom, name: "DARK ROOM" };
 * deepEqual(checkEnvironment(shouting, rootKey(1)), [
 *   'name: "DARK ROOM" is not words and dashes',
 * ]);
 * ```
 */
export function checkEnvironment(
  env: Environment,
  key: Key,
  options: ContractOptions = {},
): ReadonlyArray<string> {
  const faults = new Set<string>();
  try {
    for (const fault of allFaults(env, key, options)) faults.add(fault);
  } catch (error) {
    faults.add(`throws: ${error}`);
  }
  return [...faults];
}
