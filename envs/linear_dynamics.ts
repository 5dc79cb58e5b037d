import { uniform } from "../kernels/random/generator.ts";
import { defineEnvironment } from "./env.ts";
import { sampleLinear } from "./linear/sample.ts";
import {
  type LinearState,
  type LinearTask,
  observe,
  regulated,
  startAt,
  step,
} from "./linear/system.ts";
import { horizonParam } from "./params.ts";

/** A size that is drawn where 0 is given. */
function size(what: string, drawn: string) {
  return {
    default: 0,
    integer: true,
    min: 0,
    max: 16,
    summary: `Number of ${what}; 0 to draw it from ${drawn}`,
  };
}

/**
 * Random linear systems to be kept on a target (of the worlds beside AnyMDP, Wang
 * and others 2025, arXiv 2502.02869): x' = A x + B u + c in continuous time, of
 * which y = C x + d is seen, under an action in [-1, 1] for each input that is
 * held for a step and felt after a delay of 0 to 29 steps; A is banded or lower
 * triangular; the target stays, or goes along a random Fourier path, the same in
 * each episode. An error above 10, |y - target|, ends the episode. Nothing is
 * random but the start, and nothing counts as solved.
 *
 * A step pays 1 - |error|² / 100 - 0.001 |action|²: the quadratic cost is the
 * source's, that it is taken from 1 is ours, so that at the largest error that is
 * borne a step is still worth about 0 and nobody gains by an early end.
 *
 * The source's scales are not published; all here are ours. A step is 0.1 of
 * time; A has -U(0.05, 1) on its diagonal and N(0, 0.5²) beside it, one or two
 * places to both sides where it is banded (as often as not); B is N(0, 1), c
 * N(0, 0.2²), C N(0, 1 / states), d N(0, 0.5²), the start U(-1, 1). Targets are
 * N(0, 1) and, where they move, three waves about that of periods T, T/2 and T/3,
 * T ~ U(50, 200) steps, whose sines and cosines are N(0, 1/k²). Where not given,
 * states are 2 to 8, inputs 1 to 4 (never more than states), observations 1 to
 * inputs. {@linkcode sampleLinear} says what is refused.
 *
 * The `optimal` is the finite-horizon linear-quadratic regulator for the known
 * path and delay, cut to the box: a reference that is optimal as long as the cut
 * does not bite and the error stays in bounds.
 *
 * @example What the reference does in a step
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { drawTask } from "./rollout.ts";
 * import { resolveParams } from "./params.ts";
 *
 * const params = resolveParams(linearDynamics.params, { inputs: 2, delay: 0 });
 * const { task } = drawTask(linearDynamics, params, "1");
 * const start = { t: 0, x: new Array(16).fill(0), queue: [] };
 * const action = linearDynamics.optimal!(task)(start, 0);
 * equal((action as Array<number>).length, 2);
 * ```
 */
export const linearDynamics = defineEnvironment<
  LinearTask,
  LinearState,
  ReadonlyArray<number>
>({
  name: "linear-dynamics",
  version: 1,
  summary: "A random linear system to be kept on a target, by vectors",
  params: {
    states: size("states", "2 to 8"),
    inputs: size("inputs", "1 to 4"),
    observations: size("outputs that are seen", "1 to the inputs"),
    delay: {
      default: -1,
      integer: true,
      min: -1,
      max: 29,
      summary: "Steps until an action is felt; -1 to draw it from 0 to 29",
    },
    target: {
      default: "auto",
      choices: ["auto", "static", "fourier"],
      summary: "Whether the target moves; auto draws it",
    },
    "show-target": {
      default: false,
      summary: "Show the target behind what is seen",
    },
    horizon: horizonParam(200),
  },
  sampleTask: sampleLinear,
  observations: ({ outputs, shown }) => ({
    kind: "box",
    shape: [shown ? 2 * outputs : outputs],
  }),
  actions: ({ inputs }) => ({ kind: "box", low: -1, high: 1, shape: [inputs] }),
  horizon: ({ horizon }) => horizon,
  reset: (task, random) => {
    const x = Array.from(
      { length: task.states },
      () => 2 * uniform(random) - 1,
    );
    const state = startAt(task, x);
    return { state, observation: observe(task, state) };
  },
  step,
  optimal: (task) => (state) => regulated(task, state),
});
