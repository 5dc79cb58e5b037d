/**
 * Computations as graphs of ONNX operators: tensors have a type and a shape that
 * are known, and checked, while the graph is built.
 *
 * Operators are functions of tensors (`operators.ts`, `layers.ts`); what they
 * make is kept in the order of computation, together with a tape from which
 * `gradients.ts` derives the backward pass.
 *
 * @module
 */

/** What the elements of a tensor are. */
export type DType = "float32" | "float64" | "int32" | "int64" | "bool";

/** Lengths of the axes, first to last; `[]` is a scalar. */
export type Shape = ReadonlyArray<number>;

/** Elements on the host, as each {@linkcode DType} has them. */
export type Data =
  | Float32Array
  | Float64Array
  | Int32Array
  | BigInt64Array
  | Uint8Array;

/** The array type of each {@linkcode DType}. */
export const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
} as const;

/** A setting of a node, in the kinds that ONNX has. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: ReadonlyArray<number> };

/** Said of graphs that cannot be: the operator, and the shapes it was given. */
export class GraphError extends Error {
  override readonly name = "GraphError";
}

/** A value in a graph. */
export interface Tensor {
  readonly graph: Graph;
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** One operator at work. */
export interface Node {
  readonly op: string;
  readonly inputs: ReadonlyArray<Tensor>;
  readonly outputs: ReadonlyArray<Tensor>;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/**
 * Gradients of inputs, given those of outputs; `undefined` is a gradient of
 * zero, or of what has none (integers, truths).
 */
export type Backward = (
  gradients: ReadonlyArray<Tensor | undefined>,
) => ReadonlyArray<Tensor | undefined>;

/** What `gradients.ts` walks back along: a node, or a function with a rule. */
export interface Entry {
  readonly inputs: ReadonlyArray<Tensor>;
  readonly outputs: ReadonlyArray<Tensor>;
  readonly node?: Node;
  readonly backward?: Backward;
}

/** How many elements a shape has. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((size, length) => size * length, 1);
}

/** A tensor's type and shape in words: `float32[2,3]`. */
export function describe(
  { dtype, shape }: Pick<Tensor, "dtype" | "shape">,
): string {
  return `${dtype}[${shape}]`;
}

/** Whether two shapes are one. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, i) => length === b[i]);
}

/**
 * A graph under construction. Constants are kept in it; inputs are what is fed
 * at each run, outputs what comes back.
 *
 * @example y = 2 x, of three numbers
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { mul } from "./operators.ts";
 *
 * const graph = new Graph();
 * const x = graph.input("x", "float32", [3]);
 * graph.output("y", mul(x, graph.scalar(2)));
 * deepEqual(graph.live().map(({ op }) => op), ["Mul"]);
 * ```
 */
export class Graph {
  readonly inputs = new Map<string, Tensor>();
  readonly outputs = new Map<string, Tensor>();
  readonly nodes: Array<Node> = [];
  readonly constants = new Map<Tensor, Data>();
  readonly tape: Array<Entry> = [];
  readonly #shared = new Map<string, Tensor>();
  #names = 0;
  #silent = 0;

  #tensor(name: string, dtype: DType, shape: Shape): Tensor {
    if (shape.every((length) => Number.isSafeInteger(length) && length > 0)) {
      return { graph: this, name, dtype, shape };
    }
    throw new GraphError(`Cannot make ${name}: shape [${shape}]`);
  }

  /** Inputs and outputs share their names' room. */
  #claim(name: string): void {
    if (!this.inputs.has(name) && !this.outputs.has(name)) return;
    throw new GraphError(`Cannot make ${name}: there is one already`);
  }

  /** A tensor fed at each run. */
  input(name: string, dtype: DType, shape: Shape): Tensor {
    this.#claim(name);
    const tensor = this.#tensor(name, dtype, shape);
    this.inputs.set(name, tensor);
    return tensor;
  }

  /** Marks a tensor as an output, under a name of its own. */
  output(name: string, tensor: Tensor): void {
    this.#claim(name);
    this.#own("Output", [tensor]);
    this.outputs.set(name, tensor);
  }

  /** A tensor of fixed values; `name` is for those that are to be found again. */
  constant(dtype: DType, shape: Shape, values: Data, name?: string): Tensor {
    if (values.length !== sizeOf(shape) || !(values instanceof ARRAYS[dtype])) {
      throw new GraphError(
        `Cannot make a constant ${dtype}[${shape}] of ${values.length} ` +
          `elements of ${values.constructor.name}`,
      );
    }
    const tensor = this.#tensor(name ?? this.#fresh("constant"), dtype, shape);
    this.constants.set(tensor, values);
    return tensor;
  }

  /** A scalar constant; equal ones are one. */
  scalar(value: number, dtype: DType = "float32"): Tensor {
    return this.#share(dtype, [], [value]);
  }

  /** A vector of int64, for shapes and axes; equal ones are one. */
  integers(values: ReadonlyArray<number>): Tensor {
    return this.#share("int64", [values.length], values);
  }

  #share(dtype: DType, shape: Shape, values: ReadonlyArray<number>): Tensor {
    return this.once(
      `${dtype}[${shape}] ${values}`,
      () => this.constant(dtype, shape, dataOf(dtype, values)),
    );
  }

  /** A tensor made when it is first asked for, and the same from then on. */
  once(key: string, make: () => Tensor): Tensor {
    const made = this.#shared.get(key) ?? make();
    this.#shared.set(key, made);
    return made;
  }

  #fresh(prefix: string): string {
    return `${prefix}/${this.#names++}`;
  }

  #own(op: string, tensors: ReadonlyArray<Tensor>): void {
    for (const { graph, name } of tensors) {
      if (graph !== this) {
        throw new GraphError(`${op}: ${name} is of another graph`);
      }
    }
  }

  /**
   * Adds a node; for the functions of `operators.ts`, which know the shapes.
   *
   * @param kinds Type and shape of each output.
   */
  node(
    op: string,
    inputs: ReadonlyArray<Tensor>,
    kinds: ReadonlyArray<Pick<Tensor, "dtype" | "shape">>,
    attributes: Node["attributes"] = {},
  ): ReadonlyArray<Tensor> {
    this.#own(op, inputs);
    const outputs = kinds.map(({ dtype, shape }) =>
      this.#tensor(this.#fresh("value"), dtype, shape)
    );
    const node = { op, inputs, outputs, attributes };
    this.nodes.push(node);
    if (this.#silent === 0) this.tape.push({ inputs, outputs, node });
    return outputs;
  }

  /** Builds what no gradient is to be taken of: a backward pass, an update. */
  untaped<A>(build: () => A): A {
    this.#silent++;
    try {
      return build();
    } finally {
      this.#silent--;
    }
  }

  /**
   * A function with a gradient of its own, which is cheaper or steadier than
   * what its operators' rules would give.
   */
  withGradient<A extends ReadonlyArray<Tensor>>(
    inputs: ReadonlyArray<Tensor>,
    build: () => A,
    backward: (outputs: A) => Backward,
  ): A {
    const outputs = this.untaped(build);
    if (this.#silent === 0) {
      this.tape.push({ inputs, outputs, backward: backward(outputs) });
    }
    return outputs;
  }

  /** The nodes that outputs depend on, in the order of computation. */
  live(): ReadonlyArray<Node> {
    const wanted = new Set(this.outputs.values());
    const live: Array<Node> = [];
    for (let i = this.nodes.length - 1; i >= 0; i--) {
      const node = this.nodes[i]!;
      if (!node.outputs.some((output) => wanted.has(output))) continue;
      for (const input of node.inputs) wanted.add(input);
      live.push(node);
    }
    return live.reverse();
  }
}

/** Numbers as the array of a type. */
export function dataOf(dtype: DType, values: ReadonlyArray<number>): Data {
  return dtype === "int64"
    ? BigInt64Array.from(values, BigInt)
    : ARRAYS[dtype].from(values);
}
