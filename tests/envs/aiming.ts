import { defineEnvironment } from "../../envs/env.ts";
import { uniform } from "../../kernels/random/generator.ts";

/**
 * A world whose actions are vectors: a hidden point, which costs as far as an
 * action is from it. Nothing of it has few digits.
 */
export const aiming = defineEnvironment<
  { readonly point: ReadonlyArray<number> },
  number,
  ReadonlyArray<number>
>({
  name: "aiming",
  version: 1,
  summary: "A hidden point to aim at",
  params: {},
  sampleTask: (random) => ({
    point: [2 * uniform(random) - 1, 2 * uniform(random) - 1],
  }),
  observations: () => ({ kind: "discrete", n: 4 }),
  actions: () => ({ kind: "box", low: -1, high: 1, shape: [2] }),
  horizon: () => 3,
  reset: () => ({ state: 0, observation: 0 }),
  step: ({ point }, state, action) => ({
    state: state + 1,
    observation: state + 1,
    reward: -Math.hypot(action[0]! - point[0]!, action[1]! - point[1]!),
    terminated: state === 2,
  }),
  optimal: ({ point }) => () => point,
});
