/**
 * Functions that have a gradient of their own, cheaper than their operators'
 * rules would give: normalisation, GELU, attention,
 * cross-entropy.
 *
 * @module
 */
import { type Backward, dataOf, describe, GraphError } from "./graph.ts";
import { sizeOf, type Tensor } from "./graph.ts";
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
 * gelu(x A) B, gelu(x) = x Φ(x) with Φ the normal distribution function (Hendrycks
 * and Gimpel 2016, arXiv 1606.08415, equation 1), exactly, not by tanh.
 *
 * Its constants are put into the matrices, which are smaller than what passes
 * through: with u = x A / √2, the whole is u (1 + erf u) (B / √2), and the slope of
 * its middle 1 + erf u + 2 u exp(-u²) / √π.
 */
export function geluBetween(x: Tensor, a: Tensor, b: Tensor): Tensor {
  const { graph } = x;
  const u = op.matmul(x, op.scale(a, Math.SQRT1_2));
  const build = () => {
    const above = op.add(op.erf(u), op.like(u, 1));
    return [op.mul(u, above), above] as const;
  };
  const [middle] = graph.withGradient([u], build, ([, above]) => ([g]) => {
    // The factor 2 / √π, as part of the exponent.
    const exponent = op.sub(
      op.like(u, Math.log(2 / Math.sqrt(Math.PI))),
      op.square(u),
    );
    return [op.mul(g!, op.add(above, op.mul(u, op.exp(exponent))))];
  });
  return op.matmul(middle, op.scale(b, Math.SQRT1_2));
}

/**
 * Gradients of queries, keys and values of one attention, from its weights. `beside`
 * is g with the row sums as one column more, and `against` v with one of -1: their
 * product is what the weights are pulled by, less the sums, without a pass for these.
 */
function pulledBack(
  { q, k, weights }: Readonly<Record<"q" | "k" | "weights", Tensor>>,
  g: Tensor,
  beside: Tensor,
  against: Tensor,
): readonly [Tensor, Tensor, Tensor] {
  const pulled = op.matmul(beside, op.transpose(against));
  const scores = op.mul(weights, pulled);
  return [
    op.matmul(scores, k),
    op.matmul(op.transpose(scores), q),
    op.matmul(op.transpose(weights), g),
  ];
}

/** Queries at once: what they see at most, of 256 tokens, fits a core's cache. */
const CHUNK = 128;
/** A score so low that its weight is 0. */
export const UNSEEN = -1e9;

function chunksOf(tokens: number): ReadonlyArray<readonly [number, number]> {
  return Array.from({ length: Math.ceil(tokens / CHUNK) }, (_, i) => {
    return [i * CHUNK, Math.min(tokens, (i + 1) * CHUNK)];
  });
}

/** So many queries, the last of `each` tokens each, see these and those before. */
export function triangle(
  { graph, dtype }: Tensor,
  n: number,
  each: number,
): Tensor {
  return graph.once(`triangle ${dtype} ${n} ${each}`, () => {
    const width = n * each;
    const mask = Array.from({ length: n * width }, (_, i) => {
      const query = Math.floor(i / width);
      return i % width < (query + 1) * each ? 0 : UNSEEN;
    });
    return graph.constant(dtype, [n, width], dataOf(dtype, mask));
  });
}

/**
 * Queries `from` to `to` see their own tokens and those before. The runtime makes
 * it when it opens the graph, once for all layers: whole masks would be most of the
 * bytes of a graph of long windows.
 */
function causalMask(q: Tensor, from: number, to: number, each: number): Tensor {
  const last = triangle(q, to - from, each);
  return q.graph.once(
    `causal ${q.dtype} ${from} ${to} ${each}`,
    () => op.pad(last, 1, from * each, 0),
  );
}

/**
 * The sum of parts of which each goes on one of `lengths` tokens further than the
 * one before. Pieces are added pair by pair: the runtime pads, and adds up many
 * tensors at once, on one thread.
 */
function sumOfPrefixes(
  parts: ReadonlyArray<Tensor>,
  lengths: ReadonlyArray<number>,
): Tensor {
  const pieces = parts.map((part, i) =>
    i === 0 ? [part] : op.split(part, 2, lengths.slice(0, i + 1))
  );
  const sums = lengths.map((_, j) =>
    pieces.slice(j).map((own) => own[j]!).reduce(op.add)
  );
  return op.concat(sums, 2);
}

/**
 * softmax(Q Kᵀ) V for `[batch, heads, tokens, depth]` (Vaswani and others 2017,
 * arXiv 1706.03762, equation 1; the scale is for Q to bring), where each token
 * sees itself and those before. Queries are taken some
 * at a time, with the keys that these may see, which saves up to half of the work.
 * The gradient of the weights takes its row sums from the output (Dao and others
 * 2022, arXiv 2205.14135, appendix B.4), which is shorter than the weights are.
 *
 * Queries may be fewer, `[batch, heads, tokens / each, depth]`: those of the last
 * of each `each` tokens, as they are where a step has several.
 */
export function causalAttention(q: Tensor, k: Tensor, v: Tensor): Tensor {
  const each = k.shape[2]! / q.shape[2]!;
  if (!Number.isInteger(each)) {
    const given = [q, k, v].map(describe);
    throw new GraphError(`causalAttention of ${given.join(", ")}`);
  }
  const chunks = chunksOf(q.shape[2]!).map(([from, to]) => ({ from, to }));
  const build = () => {
    const parts = chunks.map(({ from, to }) => {
      const [keys, values] = [k, v].map((x) => op.slice(x, 2, 0, to * each));
      const some = op.slice(q, 2, from, to);
      const scores = op.matmul(some, op.transpose(keys!));
      const mask = causalMask(q, from, to, each);
      const weights = op.softmax(op.add(scores, mask));
      const y = op.matmul(weights, values!);
      return { q: some, k: keys!, weights, y };
    });
    return { y: op.concat(parts.map(({ y }) => y), 2), parts };
  };
  const { y, parts } = q.graph.untaped(build);
  const backward: Backward = ([g]) => {
    const rows = op.reduceSum(op.mul(g!, y), [-1], true);
    const beside = op.concat([g!, rows], 3);
    const against = op.concat([
      v,
      op.expand(op.like(rows, -1), [...v.shape.slice(0, 3), 1]),
    ], 3);
    const pulled = chunks.map(({ from, to }, i) => {
      const own = [g!, beside].map((x) => op.slice(x, 2, from, to));
      const seen = op.slice(against, 2, 0, to * each);
      return pulledBack(parts[i]!, own[0]!, own[1]!, seen);
    });
    const lengths = chunks.map(({ from, to }) => (to - from) * each);
    return [
      op.concat(pulled.map(([dq]) => dq), 2),
      sumOfPrefixes(pulled.map(([, dk]) => dk), lengths),
      sumOfPrefixes(pulled.map(([, , dv]) => dv), lengths),
    ];
  };
  return q.graph.withGradient([q, k, v], () => [y], () => backward)[0]!;
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
