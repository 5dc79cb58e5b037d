/**
 * The rewards of a task, before its ranks are made to ascend in value. All parts
 * are of the row or of the rank entered, never of both:
 *
 *     μ(s, a, s') = [φ(s) + r_sa(s, a) + r_step] + [-φ(s') + r_s(s') + t(s')]
 *
 * @module
 */
import { normal } from "../../kernels/random/distributions.ts";
import { type Generator, uniform } from "../../kernels/random/generator.ts";
import { between, clip, exponentialOf, integerIn } from "./draws.ts";
import type { RewardParts } from "./task.ts";

/** φ: nothing three times in four, else up to four waves over the ranks. */
function drawPotential(random: Generator, n: number): Float64Array {
  const phi = new Float64Array(n);
  if (uniform(random) < 0.5) return phi;
  const base = clip(exponentialOf(random, 1), 0.2, 5);
  const box = Math.max(0, between(random, -base, base));
  if (box === 0) return phi;
  const waves = integerIn(random, 1, 4);
  const amplitude = () =>
    normal(random) * exponentialOf(random, box / Math.sqrt(waves));
  for (let k = 0; k <= waves; k++) {
    const omega = k === 0 ? 0 : integerIn(random, 1, 6) + normal(random);
    const [alpha, beta] = [amplitude(), amplitude()];
    for (let s = 0; s < n; s++) {
      const angle = omega * s / (2 * n);
      phi[s] = phi[s]! + alpha * Math.sin(angle) + beta * Math.cos(angle);
    }
  }
  return phi;
}

/** r_s, which rises with the rank, and its noise; 0 where an episode ends. */
function drawPosition(
  random: Generator,
  ends: Uint8Array,
): { readonly position: Float64Array; readonly noise: Float64Array } {
  const n = ends.length;
  const base = exponentialOf(random, 0.2);
  const position = new Float64Array(n);
  const noise = new Float64Array(n);
  let height = 0;
  for (let j = 0; j < n; j++) {
    const rise = Math.max(0, normal(random)) + (j === n - 1 ? 0.2 : 0);
    position[j] = height += base * rise;
  }
  const baseline = between(random, 0.1 * height, 0.9 * height);
  for (let j = 0; j < n; j++) {
    const deviation = base * Math.max(0, between(random, -0.3, 0.3));
    position[j] = ends[j] ? 0 : position[j]! - baseline;
    noise[j] = ends[j] ? 0 : deviation;
  }
  return { position, noise };
}

/** A small reward for each step: of tasks with a goal a cost. */
function drawStep(random: Generator, ends: Uint8Array, goal: boolean): number {
  if (goal) return 0.01 * Math.min(0, normal(random));
  return ends.includes(1) ? 0.01 * Math.max(0, normal(random)) : 0;
}

/** All parts but the arrival bonus t. */
export function drawRewards(
  random: Generator,
  ends: Uint8Array,
  goal: boolean,
  actions: number,
): RewardParts {
  const n = ends.length;
  const phi = drawPotential(random, n);
  const { position, noise: arrivalNoise } = drawPosition(random, ends);
  const base = clip(exponentialOf(random, 0.05), 0, 0.1);
  const stateAction = new Float64Array(n * actions);
  const stateActionNoise = new Float64Array(n * actions);
  for (let i = 0; i < n * actions; i++) {
    if (uniform(random) >= 0.3) continue;
    stateAction[i] = base * normal(random);
    stateActionNoise[i] = 0.3 * base * Math.max(0, normal(random));
  }
  const step = drawStep(random, ends, goal);
  for (let i = 0; i < n * actions; i++) {
    stateAction[i] = stateAction[i]! + phi[Math.floor(i / actions)]! + step;
  }
  const arrival = position.map((r, j) => r - phi[j]!);
  return { stateAction, arrival, stateActionNoise, arrivalNoise };
}
