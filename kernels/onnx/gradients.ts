/**
 * Reverse-mode differentiation: the backward pass of a graph, as more of the same
 * graph.
 *
 * Each operator has a rule, which gives the gradients of its inputs from those of
 * its outputs (Griewank and Walther 2008, "Evaluating derivatives", chapter 3);
 * functions made with {@linkcode Graph.withGradient} bring their own.
 *
 * @module
 */
import { type Entry, GraphError, type Node, sameShape } from "./graph.ts";
import { type Shape, sizeOf, type Tensor } from "./graph.ts";
import * as op from "./operators.ts";

type Gradients = ReadonlyArray<Tensor | undefined>;
type Rule = (node: Node, g: Tensor, y: Tensor) => Gradients;

/** Sums over the axes along which a tensor of `shape` was repeated. */
export function unbroadcast(g: Tensor, shape: Shape): Tensor {
  if (sameShape(g.shape, shape)) return g;
  const extra = g.shape.length - shape.length;
  const axes = g.shape.flatMap((length, i) =>
    i < extra || (shape[i - extra] === 1 && length !== 1) ? [i] : []
  );
  return op.reshape(op.reduceSum(g, axes), shape);
}

/** A rule whose gradients may still have to be summed to the inputs' shapes. */
function broadcasting(
  rule: (a: Tensor, b: Tensor, g: Tensor, y: Tensor) => Gradients,
): Rule {
  return ({ inputs }, g, y) => {
    const gradients = rule(inputs[0]!, inputs[1]!, g, y);
    return gradients.map((t, i) => t && unbroadcast(t, inputs[i]!.shape));
  };
}

/** A rule of one input x: its gradient from g, y and x. */
function ofOne(rule: (x: Tensor, g: Tensor, y: Tensor) => Tensor): Rule {
  return ({ inputs }, g, y) => [rule(inputs[0]!, g, y)];
}

/** Gradient of the first of two where `first` holds, else of the second. */
function chosen(first: (a: Tensor, b: Tensor) => Tensor): Rule {
  return broadcasting((a, b, g) => {
    const zero = op.like(g, 0);
    const mask = first(a, b);
    return [op.where(mask, g, zero), op.where(mask, zero, g)];
  });
}

function matmulRule({ inputs: [a, b] }: Node, g: Tensor): Gradients {
  const left = op.matmul(g, op.transpose(b!));
  if (b!.shape.length > 2) {
    const right = op.matmul(op.transpose(a!), g);
    return [unbroadcast(left, a!.shape), unbroadcast(right, b!.shape)];
  }
  // One product over all rows, not one for each matrix and a sum of them.
  const [k, n] = b!.shape;
  const rows = op.transpose(op.reshape(a!, [-1, k!]));
  return [left, op.matmul(rows, op.reshape(g, [-1, n!]))];
}

/** The axes that a reduction has left out, put back as 1. */
function kept(x: Tensor, g: Tensor, node: Node): Tensor {
  const axes = [...x.graph.constants.get(node.inputs[1]!)!].map(Number);
  return op.reshape(g, x.shape.map((n, i) => axes.includes(i) ? 1 : n));
}

function reduceMaxRule(node: Node, g: Tensor, y: Tensor): Gradients {
  const x = node.inputs[0]!;
  // Ties share the gradient, as in PyTorch's amax.
  const best = op.cast(op.equal(x, kept(x, y, node)), x.dtype);
  const axes = [...x.graph.constants.get(node.inputs[1]!)!].map(Number);
  const share = op.div(kept(x, g, node), op.reduceSum(best, axes, true));
  return [op.mul(best, share)];
}

function splitRule(node: Node, gradients: Gradients): Gradients {
  const parts = node.outputs.map((output, i) =>
    gradients[i] ?? op.expand(op.like(output, 0), output.shape)
  );
  return [op.concat(parts, axisOf(node))];
}

function axisOf({ attributes }: Node): number {
  return (attributes["axis"] as { readonly int: number }).int;
}

function concatRule(node: Node, g: Tensor): Gradients {
  const axis = axisOf(node);
  return op.split(g, axis, node.inputs.map(({ shape }) => shape[axis]!));
}

/** What Slice and Pad were told, by the constants that are their inputs. */
function integersOf(node: Node, input: number): ReadonlyArray<number> {
  const tensor = node.inputs[input]!;
  return [...tensor.graph.constants.get(tensor)!].map(Number);
}

function sliceRule(node: Node, g: Tensor): Gradients {
  const [from, to, axis] = [1, 2, 3].map((i) => integersOf(node, i)[0]!);
  const after = node.inputs[0]!.shape[axis!]! - to!;
  return [op.pad(g, axis!, from!, after)];
}

function padRule(node: Node, g: Tensor): Gradients {
  const { shape } = node.inputs[0]!;
  const pads = integersOf(node, 1);
  return [shape.reduce((cut, n, i) => {
    const same = cut.shape[i] === n;
    return same ? cut : op.slice(cut, i, pads[i]!, pads[i]! + n);
  }, g)];
}

function transposeRule({ attributes }: Node, g: Tensor): Gradients {
  const { ints } = attributes["perm"] as { ints: ReadonlyArray<number> };
  return [op.transpose(g, ints.map((_, i) => ints.indexOf(i)))];
}

/**
 * A product with ones and zeros: for small tables quicker than to scatter, and to
 * be had on every device.
 */
function gatherRule({ inputs: [table, ids] }: Node, g: Tensor): Gradients {
  const rows = table!.shape[0]!;
  const hot = op.oneHot(op.reshape(ids!, [-1]), rows, table!.dtype);
  const flat = op.reshape(g, [sizeOf(ids!.shape), -1]);
  return [op.reshape(op.matmul(op.transpose(hot), flat), table!.shape)];
}

/** Rows of a table from which on adding is quicker than the product. */
const LARGE_TABLE = 512;

/** The same by adding rows up, one after the other, which grows with no table. */
function gatherLargeRule({ inputs: [table, ids] }: Node, g: Tensor): Gradients {
  const [rows, steps] = [table!.shape[0]!, sizeOf(ids!.shape)];
  const flat = op.reshape(g, [steps, -1]);
  const width = flat.shape[1]!;
  const zeros = op.expand(op.like(g, 0), [rows, width]);
  const places = op.expand(op.reshape(ids!, [steps, 1]), [steps, width]);
  const sum = op.scatter(zeros, places, flat, 0, true);
  return [op.reshape(sum, table!.shape)];
}

function scatterRule({ inputs, attributes }: Node, g: Tensor): Gradients {
  const { int } = attributes["axis"] as { readonly int: number };
  const [, ids, updates] = inputs;
  const adds = attributes["reduction"] !== undefined;
  const zeros = op.expand(op.like(g, 0), updates!.shape);
  const taken = g.graph.node("GatherElements", [g, ids!], [updates!], {
    axis: { int },
  });
  const kept = adds ? g : op.scatter(g, ids!, zeros, int);
  return [kept, undefined, taken[0]];
}

function clipRule({ inputs: [x, low, high] }: Node, g: Tensor): Gradients {
  const inside = op.and(op.lessOrEqual(low!, x!), op.lessOrEqual(x!, high!));
  return [op.where(inside, g, op.like(g, 0))];
}

function powRule(a: Tensor, b: Tensor, g: Tensor, y: Tensor): Gradients {
  const base = op.mul(b, op.pow(a, op.sub(b, op.like(b, 1))));
  const exponent = a.graph.constants.has(b)
    ? undefined
    : op.mul(g, op.mul(y, op.log(a)));
  return [op.mul(g, base), exponent];
}

function meanRule(node: Node, g: Tensor, y: Tensor): Gradients {
  const x = node.inputs[0]!;
  const share = sizeOf(y.shape) / sizeOf(x.shape);
  return [op.expand(op.scale(kept(x, g, node), share), x.shape)];
}

/** Gradients of the inputs of each operator, y = f(x), from g = dL/dy. */
const RULES: Readonly<Record<string, Rule>> = {
  Add: broadcasting((_a, _b, g) => [g, g]),
  Sub: broadcasting((_a, _b, g) => [g, op.neg(g)]),
  Mul: broadcasting((a, b, g) => [op.mul(g, b), op.mul(g, a)]),
  Div: broadcasting((_a, b, g, y) => {
    const left = op.div(g, b);
    return [left, op.neg(op.mul(left, y))];
  }),
  Pow: broadcasting(powRule),
  Min: chosen(op.lessOrEqual),
  Max: chosen((a, b) => op.lessOrEqual(b, a)),
  Sum: ({ inputs }, g) => inputs.map(() => g),
  Neg: ofOne((_x, g) => op.neg(g)),
  Exp: ofOne((_x, g, y) => op.mul(g, y)),
  Log: ofOne((x, g) => op.div(g, x)),
  Sqrt: ofOne((_x, g, y) => op.div(op.scale(g, 0.5), y)),
  Tanh: ofOne((_x, g, y) => op.mul(g, op.sub(op.like(y, 1), op.square(y)))),
  Sigmoid: ofOne((_x, g, y) => op.mul(g, op.mul(y, op.sub(op.like(y, 1), y)))),
  Erf: ofOne((x, g) => {
    const bell = op.exp(op.neg(op.square(x)));
    return op.mul(g, op.scale(bell, 2 / Math.sqrt(Math.PI)));
  }),
  Cos: ofOne((x, g) => op.neg(op.mul(g, op.sin(x)))),
  Sin: ofOne((x, g) => op.mul(g, op.cos(x))),
  Clip: clipRule,
  Where: ({ inputs: [condition, yes, no] }, g) => {
    const zero = op.like(g, 0);
    return [
      undefined,
      unbroadcast(op.where(condition!, g, zero), yes!.shape),
      unbroadcast(op.where(condition!, zero, g), no!.shape),
    ];
  },
  Cast: ofOne((x, g) => op.cast(g, x.dtype)),
  MatMul: matmulRule,
  Transpose: transposeRule,
  Reshape: ofOne((x, g) => op.reshape(g, x.shape)),
  Expand: ofOne((x, g) => unbroadcast(g, x.shape)),
  Slice: sliceRule,
  Pad: padRule,
  Concat: concatRule,
  Gather: gatherRule,
  ScatterElements: scatterRule,
  Softmax: ofOne((_x, g, y) => {
    const mean = op.reduceSum(op.mul(g, y), [-1], true);
    return op.mul(y, op.sub(g, mean));
  }),
  LogSoftmax: ofOne((_x, g, y) =>
    op.sub(g, op.mul(op.exp(y), op.reduceSum(g, [-1], true)))
  ),
  ReduceSum: (node, g) => {
    const x = node.inputs[0]!;
    return [op.expand(kept(x, g, node), x.shape)];
  },
  ReduceMean: meanRule,
  ReduceMax: reduceMaxRule,
  ReduceSumSquare: (node, g) => {
    const x = node.inputs[0]!;
    return [op.mul(x, op.scale(kept(x, g, node), 2))];
  },
};

/** Operators that a gradient may be taken of. */
export const DIFFERENTIABLE: ReadonlyArray<string> = [
  ...Object.keys(RULES),
  "Split",
].sort();

function pullBack(
  entry: Entry,
  gradients: Gradients,
  { scatters }: GradientOptions,
): Gradients {
  if (entry.backward) return entry.backward(gradients);
  const { node } = entry;
  if (node!.op === "Split") return splitRule(node!, gradients);
  const isLarge = node!.op === "Gather" &&
    node!.inputs[0]!.shape[0]! >= LARGE_TABLE;
  if (scatters && isLarge) return gatherLargeRule(node!, gradients[0]!);
  const rule = RULES[node!.op];
  if (!rule) throw new GraphError(`${node!.op} has no gradient`);
  return rule(node!, gradients[0]!, node!.outputs[0]!);
}

/** The tensors that depend on `sources`, these among them. */
function dependents(
  tape: ReadonlyArray<Entry>,
  sources: ReadonlyArray<Tensor>,
): ReadonlySet<Tensor> {
  const found = new Set(sources);
  for (const { inputs, outputs } of tape) {
    if (!inputs.some((input) => found.has(input))) continue;
    for (const output of outputs) {
      if (output.dtype.startsWith("float")) found.add(output);
    }
  }
  return found;
}

export interface GradientOptions {
  /**
   * Whether rows of large tables are added up where they belong, as the CPU can,
   * rather than by a product that grows with the table; false if not given.
   */
  readonly scatters?: boolean;
}

/**
 * Adds the backward pass of `loss` to its graph; gives dL/dx for each of
 * `sources`, in its shape. What the loss does not depend on has a gradient of 0.
 *
 * @throws GraphError if the loss is no scalar, or an operator on the way has no
 * gradient.
 * @example The gradient of the mean of squares, 2 x / 3
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { Graph } from "./graph.ts";
 * import { reduceMean, square } from "./operators.ts";
 *
 * const graph = new Graph();
 * const x = graph.input("x", "float32", [3]);
 * const [dx] = gradients(reduceMean(square(x)), [x]);
 * equal(dx?.shape[0], 3);
 * ```
 */
export function gradients(
  loss: Tensor,
  sources: ReadonlyArray<Tensor>,
  options: GradientOptions = {},
): ReadonlyArray<Tensor> {
  if (loss.shape.length > 0 || !loss.dtype.startsWith("float")) {
    throw new GraphError(`A gradient of ${loss.dtype}[${loss.shape}]`);
  }
  const { graph } = loss;
  return graph.untaped(() => {
    const found = walkBack(graph.tape, loss, sources, options);
    return sources.map((x) => found(x) ?? op.expand(op.like(x, 0), x.shape));
  });
}

function walkBack(
  tape: ReadonlyArray<Entry>,
  loss: Tensor,
  sources: ReadonlyArray<Tensor>,
  options: GradientOptions,
): (x: Tensor) => Tensor | undefined {
  const wanted = dependents(tape, sources);
  const terms = new Map([[loss, [op.like(loss, 1)]]]);
  const total = (x: Tensor): Tensor | undefined => {
    const parts = terms.get(x);
    return parts && (parts.length === 1 ? parts[0] : op.sum(...parts));
  };
  for (const entry of tape.toReversed()) {
    if (!entry.outputs.some((y) => wanted.has(y) && terms.has(y))) continue;
    const pulled = pullBack(entry, entry.outputs.map(total), options);
    for (const [i, x] of entry.inputs.entries()) {
      const g = pulled[i];
      if (!g || !wanted.has(x)) continue;
      if (!sameShape(g.shape, x.shape)) {
        const op = entry.node?.op ?? "a function";
        throw new GraphError(`Gradient [${g.shape}] of [${x.shape}] in ${op}`);
      }
      terms.set(x, [...terms.get(x) ?? [], g]);
    }
  }
  return total;
}
