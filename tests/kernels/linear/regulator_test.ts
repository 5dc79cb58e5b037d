import { ok } from "node:assert/strict";
import * as fc from "fast-check";
import {
  regulate,
  type Tracked,
  type Weights,
} from "../../../kernels/linear/regulator.ts";
import { normal } from "../../../kernels/random/distributions.ts";
import {
  type Generator,
  generator,
} from "../../../kernels/random/generator.ts";
import { rootKey } from "../../../kernels/random/key.ts";
import { bestInputs } from "./least_squares.ts";

function draw(random: Generator, length: number, scale = 1): Float64Array {
  return Float64Array.from({ length }, () => scale * normal(random));
}

interface Problem {
  readonly system: Tracked;
  readonly targets: Float64Array;
  readonly weights: Weights;
  readonly start: Float64Array;
}

const problems = fc.record({
  seed: fc.nat(1e6),
  states: fc.integer({ min: 1, max: 5 }),
  inputs: fc.integer({ min: 1, max: 4 }),
  outputs: fc.integer({ min: 1, max: 4 }),
  steps: fc.integer({ min: 1, max: 9 }),
  effort: fc.constantFrom(0.01, 0.5, 3),
}).map(({ seed, states, inputs, outputs, steps, effort }): Problem => {
  const random = generator(rootKey(seed));
  const motion = {
    states,
    inputs,
    a: draw(random, states * states, 1 / Math.sqrt(states)),
    b: draw(random, states * inputs),
    c: draw(random, states),
  };
  const readout = draw(random, outputs * states);
  const shift = draw(random, outputs);
  return {
    system: { motion, outputs, readout, shift },
    targets: draw(random, steps * outputs),
    weights: { error: 0.7, effort },
    start: draw(random, states),
  };
});

/** x' and y' of a step. */
function stepped(
  { motion: { states, inputs, a, b, c }, readout, shift }: Tracked,
  x: ArrayLike<number>,
  u: ArrayLike<number>,
) {
  const next = Float64Array.from({ length: states }, (_, i) => {
    let sum = c[i]!;
    for (let j = 0; j < states; j++) sum += a[i * states + j]! * x[j]!;
    for (let j = 0; j < inputs; j++) sum += b[i * inputs + j]! * u[j]!;
    return sum;
  });
  const output = shift.map((d, i) => {
    let sum = d;
    for (let j = 0; j < states; j++) sum += readout[i * states + j]! * next[j]!;
    return sum;
  });
  return { next, output };
}

/** Outputs after each step under all inputs of an episode. */
function outputsUnder({ system, start }: Problem, inputs: Float64Array) {
  const width = system.motion.inputs;
  let x = start;
  const seen: Array<number> = [];
  for (let t = 0; t < inputs.length / width; t++) {
    const u = inputs.subarray(t * width, (t + 1) * width);
    const { next, output } = stepped(system, x, u);
    seen.push(...output);
    x = next;
  }
  return seen;
}

/** The inputs of the regulator, from the start on. */
function regulatedInputs({ system, targets, weights, start }: Problem) {
  const { gain, offset, steps } = regulate(system, targets, weights);
  const { states: n, inputs: m } = system.motion;
  let x = start;
  const inputs = new Float64Array(steps * m);
  for (let t = 0; t < steps; t++) {
    const u = inputs.subarray(t * m, (t + 1) * m);
    for (let i = 0; i < m; i++) {
      u[i] = -offset[t * m + i]!;
      for (let j = 0; j < n; j++) u[i]! -= gain[(t * m + i) * n + j]! * x[j]!;
    }
    x = stepped(system, x, u).next;
  }
  return inputs;
}

Deno.test("regulate() finds the inputs that least squares find", () => {
  fc.assert(fc.property(problems, (problem) => {
    const found = regulatedInputs(problem);
    const wanted = bestInputs(
      (inputs) => outputsUnder(problem, inputs),
      problem.targets,
      found.length,
      problem.weights,
    );
    const scale = Math.max(1, ...wanted.map(Math.abs));
    wanted.forEach((u, i) => {
      const apart = Math.abs(u - found[i]!) / scale;
      // Systems that grow make the least squares ill-conditioned, not the law.
      ok(apart < 1e-5, `${i}: ${found[i]} is not ${u}`);
    });
  }));
});
