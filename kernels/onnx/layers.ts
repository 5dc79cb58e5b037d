/**
 * Functions that have a gradient of their own, cheaper than their operators'
 * rules would give: normalisation, GELU, attention.
 *
 * @module
 */
import { describe, GraphError, sizeOf, type Tensor } from "./graph.ts";
import * as op from "./operators.ts";

/** The tensor itself, of which no gradient is taken. */
export function stopGradient(x: Tensor): Tensor {
  const build = () => x.graph.node("Identity", [x], [x]);
  return x.graph.withGradient([x], build, () => () => [undefined])[0]!;
}

const EPSILON = 1e-5;

function normalised(x: Tensor, gain: Tensor, bias: Tensor) {
  const width = x.shape.at(-1);
  if (gain.shape[0] !== width || bias.shape[0] !== width) {
    const given = [x, gain, bias].map(describe);
    throw new GraphError(`LayerNormalization of ${given.join(", ")}`);
  }
  // The runtime gives these in float32, whatever x is.
  const row = {
    dtype: "float32",
    shape: [...x.shape.slice(0, -1), 1],
  } as const;
  const attributes = { axis: { int: -1 }, epsilon: { float: EPSILON } };
  const [y, mean, inverse] = x.graph.node(
    "LayerNormalization",
    [x, gain, bias],
    [x, row, row],
    attributes,
  );
  return [y!, op.cast(mean!, x.dtype), op.cast(inverse!, x.dtype)] as const;
}

/**
 * y = gain (x - mean) / sqrt(variance + 1e-5) + bias over the last axis (Ba and
 * others 2016, arXiv 1607.06450, equation 4).
 */
export function layerNorm(x: Tensor, gain: Tensor, bias: Tensor): Tensor {
  const width = x.shape.at(-1)!;
  return x.graph.withGradient(
    [x, gain, bias],
    () => normalised(x, gain, bias),
    ([, mean, inverse]) => ([g]) => {
      const centred = op.mul(op.sub(x, mean), inverse);
      const rows = (t: Tensor) => op.reshape(t, [-1, width]);
      const gained = op.mul(g!, gain);
      const along = op.reduceMean(op.mul(gained, centred), [-1], true);
      const level = op.reduceMean(gained, [-1], true);
      const inner = op.sub(op.sub(gained, level), op.mul(centred, along));
      return [
        op.mul(inverse, inner),
        op.reduceSum(rows(op.mul(g!, centred)), [0]),
        op.reduceSum(rows(g!), [0]),
      ];
    },
  )[0];
}

/**
 * x Φ(x), with Φ the normal distribution function (Hendrycks and Gimpel 2016,
 * arXiv 1606.08415, equation 1), exactly, not by tanh.
 */
export function gelu(x: Tensor): Tensor {
  return x.graph.withGradient(
    [x],
    () => x.graph.node("Gelu", [x], [x]),
    () => ([g]) => {
      const half = op.like(x, 0.5);
      const below = op.mul(op.erf(op.scale(x, Math.SQRT1_2)), half);
      const bell = op.exp(op.mul(op.square(x), op.like(x, -0.5)));
      const slope = op.mul(op.scale(x, 1 / Math.sqrt(2 * Math.PI)), bell);
      return [op.mul(g!, op.add(op.add(below, half), slope))];
    },
  )[0]!;
}

/**
 * softmax(Q Kᵀ + mask) V for `[batch, heads, tokens, width]` (Vaswani and others
 * 2017, arXiv 1706.03762, equation 1; the scale is for Q to bring). The gradient
 * of the weights takes its row sums from the output (Dao and others 2022, arXiv
 * 2205.14135, appendix B.4), which is shorter than the weights are.
 *
 * @param mask Added to the scores; 0 where a key may be seen, else very low.
 */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  mask: Tensor,
): Tensor {
  const build = () => {
    const scores = op.add(op.matmul(q, op.transpose(k)), mask);
    const weights = op.softmax(scores);
    return [op.matmul(weights, v), weights] as const;
  };
  return q.graph.withGradient(
    [q, k, v],
    build,
    ([y, weights]) => ([g]) => {
      const rows = op.reduceSum(op.mul(g!, y), [-1], true);
      const pulled = op.matmul(g!, op.transpose(v));
      const scores = op.mul(weights, op.sub(pulled, rows));
      return [
        op.matmul(scores, k),
        op.matmul(op.transpose(scores), q),
        op.matmul(op.transpose(weights), g!),
      ];
    },
  )[0];
}

/**
 * Cross-entropy of each row: -log softmax(logits)[label], `[rows]`; 0 where the
 * label is none of the classes, as -1. Labels are integers `[rows]`.
 */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const { graph, dtype, shape: [rows, classes] } = logits;
  if (logits.shape.length !== 2 || sizeOf(labels.shape) !== rows) {
    const given = [logits, labels].map(describe);
    throw new GraphError(`crossEntropy of ${given.join(", ")}`);
  }
  return graph.withGradient(
    [logits],
    () => {
      const logs = op.logSoftmax(logits);
      const hot = op.oneHot(op.reshape(labels, [-1]), classes!, dtype);
      const losses = op.neg(op.reduceSum(op.mul(logs, hot), [-1]));
      return [losses, logs, hot] as const;
    },
    ([, logs, hot]) => ([g]) => {
      const known = op.reduceSum(hot, [-1], true);
      const lift = op.sub(op.mul(op.exp(logs), known), hot);
      return [op.mul(lift, op.reshape(g!, [rows!, 1]))];
    },
  )[0];
}
