/**
 * The operators of ONNX (opset 20) that the models here are made of, one function
 * each, named as there. Shapes are checked at once: a {@linkcode GraphError} names
 * the operator and what it was given. Axes count from the end where negative.
 *
 * @module
 */
import {
  describe,
  type DType,
  GraphError,
  sameShape,
  type Shape,
  sizeOf,
  type Tensor,
} from "./graph.ts";

type Attributes = Parameters<Tensor["graph"]["node"]>[3];

function refuse(op: string, why: string, ...given: ReadonlyArray<Tensor>) {
  return new GraphError(`${op} of ${given.map(describe).join(", ")}: ${why}`);
}

function one(
  op: string,
  inputs: ReadonlyArray<Tensor>,
  dtype: DType,
  shape: Shape,
  attributes?: Attributes,
): Tensor {
  return inputs[0]!.graph.node(op, inputs, [{ dtype, shape }], attributes)[0]!;
}

/** The shape that two broadcast to, as NumPy has it; `undefined` if none. */
function broadcast(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: Array<number> = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    shape.push(Math.max(x, y));
  }
  return shape;
}

function binary(op: string, truth = false) {
  return (a: Tensor, b: Tensor): Tensor => {
    if (a.dtype !== b.dtype) throw refuse(op, "types differ", a, b);
    const shape = broadcast(a.shape, b.shape);
    if (!shape) throw refuse(op, "shapes do not broadcast", a, b);
    return one(op, [a, b], truth ? "bool" : a.dtype, shape);
  };
}

type Binary = (a: Tensor, b: Tensor) => Tensor;
export const add: Binary = binary("Add");
export const sub: Binary = binary("Sub");
export const mul: Binary = binary("Mul");
export const div: Binary = binary("Div");
export const pow: Binary = binary("Pow");
export const min: Binary = binary("Min");
export const max: Binary = binary("Max");
/** Remainder of integers, with the sign of the divisor. */
export const mod: Binary = binary("Mod");
export const equal: Binary = binary("Equal", true);
export const less: Binary = binary("Less", true);
export const lessOrEqual: Binary = binary("LessOrEqual", true);
export const and: Binary = binary("And", true);

function unary(op: string) {
  return (x: Tensor): Tensor => {
    if (!x.dtype.startsWith("float")) throw refuse(op, "not of floats", x);
    return one(op, [x], x.dtype, x.shape);
  };
}

type Unary = (x: Tensor) => Tensor;
export const neg: Unary = unary("Neg");
export const exp: Unary = unary("Exp");
export const log: Unary = unary("Log");
export const sqrt: Unary = unary("Sqrt");
export const tanh: Unary = unary("Tanh");
export const sigmoid: Unary = unary("Sigmoid");
export const erf: Unary = unary("Erf");
export const floor: Unary = unary("Floor");
export const cos: Unary = unary("Cos");
export const sin: Unary = unary("Sin");

/** The sum of tensors of one shape. */
export function sum(...terms: ReadonlyArray<Tensor>): Tensor {
  const [first] = terms;
  if (!first) throw new GraphError("Sum of nothing");
  if (terms.some(({ shape }) => !sameShape(shape, first.shape))) {
    throw refuse("Sum", "shapes differ", ...terms);
  }
  if (terms.length === 1) return first;
  if (terms.length === 2) return add(first, terms[1]!);
  return one("Sum", terms, first.dtype, first.shape);
}

/** A number as a constant of a tensor's type. */
export function like(x: Tensor, value: number): Tensor {
  return x.graph.scalar(value, x.dtype);
}

export function scale(x: Tensor, factor: number): Tensor {
  return mul(x, like(x, factor));
}

export function square(x: Tensor): Tensor {
  return mul(x, x);
}

/** Elements below `low` become `low`, those above `high` become `high`. */
export function clip(x: Tensor, low: number, high: number): Tensor {
  return one("Clip", [x, like(x, low), like(x, high)], x.dtype, x.shape);
}

/** `yes` where true, else `no`; all three broadcast. */
export function where(condition: Tensor, yes: Tensor, no: Tensor): Tensor {
  const given = [condition, yes, no];
  if (condition.dtype !== "bool" || yes.dtype !== no.dtype) {
    throw refuse("Where", "wants a truth and two of one type", ...given);
  }
  const inner = broadcast(yes.shape, no.shape);
  const shape = inner && broadcast(condition.shape, inner);
  if (!shape) throw refuse("Where", "shapes do not broadcast", ...given);
  return one("Where", given, yes.dtype, shape);
}

/** Numbers of ONNX's own enumeration, `TensorProto.DataType`. */
export const DATA_TYPE: Readonly<Record<DType, number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
};

export function cast(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x;
  return one("Cast", [x], dtype, x.shape, { to: { int: DATA_TYPE[dtype] } });
}

/** Matrix product of the last two axes; leading axes broadcast. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const [m, k] = a.shape.slice(-2);
  const [inner, n] = b.shape.slice(-2);
  const lead = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (n === undefined || k === undefined || k !== inner || !lead) {
    throw refuse("MatMul", "shapes do not fit", a, b);
  }
  if (a.dtype !== b.dtype) throw refuse("MatMul", "types differ", a, b);
  return one("MatMul", [a, b], a.dtype, [...lead, m!, n]);
}

/** Axes in a new order; the last two change places where none is given. */
export function transpose(x: Tensor, order?: ReadonlyArray<number>): Tensor {
  const rank = x.shape.length;
  const axes = x.shape.map((_, i) => i);
  const perm = order ?? [...axes.slice(0, -2), rank - 1, rank - 2];
  if (!sameShape([...perm].sort((a, b) => a - b), axes)) {
    throw refuse("Transpose", `no order [${perm}]`, x);
  }
  const shape = perm.map((axis) => x.shape[axis]!);
  return one("Transpose", [x], x.dtype, shape, { perm: { ints: perm } });
}

/** The same elements in another shape; one length may be -1. */
export function reshape(x: Tensor, to: Shape): Tensor {
  const known = sizeOf(to.filter((length) => length !== -1));
  const shape = to.map((n) => n === -1 ? sizeOf(x.shape) / known : n);
  if (sizeOf(shape) !== sizeOf(x.shape) || shape.some((n) => n % 1 !== 0)) {
    throw refuse("Reshape", `not to [${to}]`, x);
  }
  if (sameShape(shape, x.shape)) return x;
  return one("Reshape", [x, x.graph.integers(shape)], x.dtype, shape);
}

/** Repeats axes of length 1. */
export function expand(x: Tensor, to: Shape): Tensor {
  const shape = broadcast(x.shape, to);
  if (!shape || !sameShape(shape, to)) {
    throw refuse("Expand", `not to [${to}]`, x);
  }
  if (sameShape(to, x.shape)) return x;
  return one("Expand", [x, x.graph.integers(to)], x.dtype, to);
}

/** An axis counted from the start. */
export function axisOf(op: string, x: Tensor, axis: number): number {
  const from = axis < 0 ? axis + x.shape.length : axis;
  if (x.shape[from] === undefined) throw refuse(op, `no axis ${axis}`, x);
  return from;
}

function resized(shape: Shape, axis: number, length: number): Shape {
  return shape.map((n, i) => i === axis ? length : n);
}

/** Elements `from` to before `to` of one axis. */
export function slice(x: Tensor, at: number, from: number, to: number): Tensor {
  const axis = axisOf("Slice", x, at);
  if (!(0 <= from && from < to && to <= x.shape[axis]!)) {
    throw refuse("Slice", `no ${from} to ${to} on axis ${at}`, x);
  }
  if (to - from === x.shape[axis]) return x;
  const places = [[from], [to], [axis]].map((n) => x.graph.integers(n));
  const shape = resized(x.shape, axis, to - from);
  return one("Slice", [x, ...places], x.dtype, shape);
}

/** Zeros before and after one axis. */
export function pad(
  x: Tensor,
  at: number,
  before: number,
  after: number,
): Tensor {
  const axis = axisOf("Pad", x, at);
  if (before === 0 && after === 0) return x;
  const pads = [before, after].flatMap((n) =>
    resized(x.shape.map(() => 0), axis, n)
  );
  const shape = resized(x.shape, axis, x.shape[axis]! + before + after);
  return one("Pad", [x, x.graph.integers(pads)], x.dtype, shape);
}

/** One axis cut into parts of these lengths. */
export function split(
  x: Tensor,
  at: number,
  lengths: ReadonlyArray<number>,
): ReadonlyArray<Tensor> {
  const axis = axisOf("Split", x, at);
  if (lengths.reduce((a, b) => a + b, 0) !== x.shape[axis]) {
    throw refuse("Split", `not into ${lengths} on axis ${at}`, x);
  }
  const kinds = lengths.map((length) => ({
    dtype: x.dtype,
    shape: resized(x.shape, axis, length),
  }));
  const inputs = [x, x.graph.integers(lengths)];
  return x.graph.node("Split", inputs, kinds, { axis: { int: axis } });
}

/** Tensors end to end along one axis. */
export function concat(parts: ReadonlyArray<Tensor>, at: number): Tensor {
  const [first] = parts;
  if (!first) throw new GraphError("Concat of nothing");
  const axis = axisOf("Concat", first, at);
  const bare = (t: Tensor) => resized(t.shape, axis, 1);
  const fits = parts.every((t) =>
    t.dtype === first.dtype && t.shape.length === first.shape.length &&
    sameShape(bare(t), bare(first))
  );
  if (!fits) throw refuse("Concat", `they differ off axis ${at}`, ...parts);
  if (parts.length === 1) return first;
  const length = parts.reduce((n, { shape }) => n + shape[axis]!, 0);
  const shape = resized(first.shape, axis, length);
  return one("Concat", parts, first.dtype, shape, { axis: { int: axis } });
}

function wantIntegers(op: string, x: Tensor, ids: Tensor): void {
  if (ids.dtype === "int32" || ids.dtype === "int64") return;
  throw refuse(op, "places are integers", x, ids);
}

/** Rows of a table `[n, …]` by their numbers: `[...ids.shape, …]`. */
export function gather(table: Tensor, ids: Tensor): Tensor {
  wantIntegers("Gather", table, ids);
  axisOf("Gather", table, 0);
  const shape = [...ids.shape, ...table.shape.slice(1)];
  return one("Gather", [table, ids], table.dtype, shape, { axis: { int: 0 } });
}

/**
 * `data` with `updates` at places `ids` of one axis, element by element; or, with
 * `add`, with their sum added there.
 */
export function scatter(
  data: Tensor,
  ids: Tensor,
  updates: Tensor,
  at: number,
  add = false,
): Tensor {
  wantIntegers("ScatterElements", data, ids);
  const axis = axisOf("ScatterElements", data, at);
  if (!sameShape(ids.shape, updates.shape) || updates.dtype !== data.dtype) {
    const given = [data, ids, updates];
    throw refuse("ScatterElements", "updates do not fit", ...given);
  }
  return one("ScatterElements", [data, ids, updates], data.dtype, data.shape, {
    axis: { int: axis },
    ...(add && { reduction: { text: "add" } }),
  });
}

/** 1 where an axis of length `n`, put last, equals the id, else 0. */
export function oneHot(ids: Tensor, n: number, dtype: DType): Tensor {
  wantIntegers("OneHot", ids, ids);
  const places = Array.from({ length: n }, (_, i) => i);
  const range = cast(ids.graph.integers(places), ids.dtype);
  return cast(equal(reshape(ids, [...ids.shape, 1]), range), dtype);
}

/** The place of the largest along the last axis, the first of equals: int32. */
export function argMax(x: Tensor): Tensor {
  axisOf("ArgMax", x, -1);
  const places = one("ArgMax", [x], "int64", x.shape.slice(0, -1), {
    axis: { int: -1 },
    keepdims: { int: 0 },
  });
  return cast(places, "int32");
}

function lastAxis(op: string) {
  return (x: Tensor): Tensor => {
    axisOf(op, x, -1);
    return one(op, [x], x.dtype, x.shape, { axis: { int: -1 } });
  };
}

/** Over the last axis. */
export const softmax: Unary = lastAxis("Softmax");
/** Over the last axis. */
export const logSoftmax: Unary = lastAxis("LogSoftmax");

/** Reduces axes, or all if none is named; keeps them as 1 if `keep`. */
type Reduce = (
  x: Tensor,
  axes?: ReadonlyArray<number>,
  keep?: boolean,
) => Tensor;

function reduce(op: string): Reduce {
  return (x, axes = x.shape.map((_, i) => i), keep = false) => {
    const gone = new Set(axes.map((axis) => axisOf(op, x, axis)));
    if (gone.size === 0) return x;
    const shape = keep
      ? x.shape.map((n, i) => gone.has(i) ? 1 : n)
      : x.shape.filter((_, i) => !gone.has(i));
    return one(op, [x, x.graph.integers([...gone])], x.dtype, shape, {
      keepdims: { int: Number(keep) },
    });
  };
}

export const reduceSum: Reduce = reduce("ReduceSum");
export const reduceMean: Reduce = reduce("ReduceMean");
export const reduceMax: Reduce = reduce("ReduceMax");
export const reduceSumSquare: Reduce = reduce("ReduceSumSquare");
