import { deepEqual, ok, throws } from "node:assert/strict";
import { gradients } from "../../../kernels/onnx/gradients.ts";
import { Graph } from "../../../kernels/onnx/graph.ts";
import { doubleDqn, LEAST_MEAN } from "../../../kernels/onnx/q_learning.ts";
import type { DoubleDqnOptions } from "../../../kernels/onnx/q_learning.ts";
import { openSession } from "../../../kernels/onnx/session.ts";
import { generator, integer } from "../../../kernels/random/generator.ts";
import { rootKey } from "../../../kernels/random/key.ts";
import { floats, SMALL } from "./models.ts";

const BATCH = 3;
const { context: CONTEXT, actions: ACTIONS } = SMALL;
const ROWS = BATCH * CONTEXT;

interface Steps {
  readonly q: Float32Array;
  readonly slow: Float32Array;
  readonly action: Int32Array;
  readonly reward: Float32Array;
  readonly discount: Float32Array;
  readonly mask: Float32Array;
}

function randomSteps(): Steps {
  const random = generator(rootKey("8"));
  const draw = (n: number) => integer(random, n);
  const mask = new Float32Array(ROWS).map(() => Number(draw(4) > 0));
  // What is past the window has no value to be taken over.
  const last = (i: number) => i % CONTEXT === CONTEXT - 1;
  return {
    q: floats("q", ROWS * ACTIONS),
    slow: floats("slow", ROWS * ACTIONS),
    action: new Int32Array(ROWS).map(() => draw(ACTIONS)),
    reward: floats("paid", ROWS),
    discount: new Float32Array(ROWS).map((_, i) =>
      last(i) ? 0 : [0, 0.5, 0.9][draw(3)]!
    ),
    mask,
  };
}

/** Targets one by one, as the equation has them. */
function targetsOf(steps: Steps, scale: number): Float64Array {
  const { q, slow, reward, discount } = steps;
  return Float64Array.from(reward, (r, i) => {
    if (discount[i] === 0) return scale * r;
    const at = (i + 1) * ACTIONS;
    const own = [...q.subarray(at, at + ACTIONS)];
    const best = own.indexOf(Math.max(...own));
    return scale * r + discount[i]! * slow[at + best]!;
  });
}

/** The loss one step at a time, of targets that stay as they are. */
function lossOf(
  steps: Steps,
  targets: Float64Array,
  relative: boolean,
  q: ArrayLike<number> = steps.q,
): number {
  let [sum, count] = [0, 0];
  for (let w = 0; w < BATCH; w++) {
    const own = Array.from({ length: CONTEXT }, (_, t) => w * CONTEXT + t)
      .filter((i) => steps.mask[i] === 1);
    const mean = own.reduce((all, i) => all + targets[i]!, 0) / own.length;
    const unit = relative ? Math.max(Math.abs(mean), LEAST_MEAN) : 1;
    for (const i of own) {
      const taken = q[i * ACTIONS + steps.action[i]!]!;
      sum += ((taken - targets[i]!) / unit) ** 2;
      count++;
    }
  }
  return sum / count;
}

/** What the graph says of fed values: terms, and the gradient of both heads. */
async function ours(steps: Steps, options: DoubleDqnOptions) {
  const graph = new Graph();
  const [q, slow] = ["q", "slow"].map((name) =>
    graph.input(name, "float32", [ROWS, ACTIONS])
  );
  const said = { graph, config: SMALL, batch: BATCH, heads: { q: q! } };
  const terms = doubleDqn(options)({ ...said, delayed: { q: slow! } });
  for (const [name, term] of Object.entries(terms)) {
    graph.output(`term.${name}`, term);
  }
  gradients(terms.loss, [q!, slow!]).forEach((slope, i) =>
    graph.output(`slope.${["q", "slow"][i]}`, slope)
  );
  const session = await openSession(graph);
  const outputs = await session.run({ ...steps });
  await session.release();
  return outputs;
}

function close(found: number, wanted: number, what = ""): void {
  const error = Math.abs(found - wanted);
  ok(error < 1e-5 * (1 + Math.abs(wanted)), `${what}: ${found}, not ${wanted}`);
}

for (const relative of [false, true]) {
  Deno.test(`doubleDqn() is the loss of single steps, relative ${relative}`, async () => {
    const steps = randomSteps();
    const targets = targetsOf(steps, 3);
    const found = await ours(steps, { rewardScale: 3, relative });
    close(Number(found["term.loss"]![0]), lossOf(steps, targets, relative));
    const masked = steps.mask.reduce((a, b) => a + b, 0);
    const mean = targets.reduce((sum, y, i) => sum + y * steps.mask[i]!, 0);
    close(Number(found["term.target"]![0]), mean / masked);
    // The gradient is that of fixed targets, also where Q says which is best.
    const h = 1e-4;
    [...steps.q].forEach((_, i) => {
      const moved = (by: number) =>
        Float64Array.from(steps.q, (x, j) => j === i ? x + by : x);
      const [above, below] = [h, -h].map((by) =>
        lossOf(steps, targets, relative, moved(by))
      );
      const slope = (above! - below!) / (2 * h);
      close(Number(found["slope.q"]![i]), slope, `slope.q[${i}]`);
    });
    deepEqual([...found["slope.slow"]!], Array(ROWS * ACTIONS).fill(0));
  });
}

Deno.test("doubleDqn() divides by no mean next to 0", async () => {
  const steps = randomSteps();
  const still = { ...steps, reward: new Float32Array(ROWS) };
  still.discount.fill(0);
  const [plain, relative] = [
    await ours(still, {}),
    await ours(still, { relative: true }),
  ];
  const share = Number(relative["term.loss"]![0]) /
    Number(plain["term.loss"]![0]);
  close(share, 1 / LEAST_MEAN ** 2);
});

Deno.test("doubleDqn() takes the first of equals, as play does", async () => {
  const steps = randomSteps();
  const even = { ...steps, q: new Float32Array(ROWS * ACTIONS).fill(0.5) };
  const { "term.target": target } = await ours(even, {});
  const wanted = targetsOf(even, 1);
  const masked = even.mask.reduce((a, b) => a + b, 0);
  const mean = wanted.reduce((sum, y, i) => sum + y * even.mask[i]!, 0);
  close(Number(target![0]), mean / masked);
});

Deno.test("doubleDqn() refuses a model without delayed weights", () => {
  const graph = new Graph();
  const q = graph.input("q", "float32", [CONTEXT, ACTIONS]);
  const said = { graph, config: SMALL, batch: 1, heads: { q } };
  throws(() => doubleDqn({})(said), /a head of q, which there is not/);
});
