/**
 * Graphs at work, by ONNX Runtime; nothing else imports it. It is loaded when the
 * first session opens, not before.
 *
 * A session keeps state: inputs that are fed from outputs of the run before, such
 * as parameters, moments, cached keys. On the CPU each has two buffers that change
 * places, so nothing is copied; on WebGPU it never leaves the device unless read.
 *
 * @module
 */
import type * as Runtime from "onnxruntime-node";
import { modelBytes } from "./bytes.ts";
import { ARRAYS, type Data, describe, Graph, sizeOf } from "./graph.ts";
import type { Tensor } from "./graph.ts";

/** Where graphs run. */
export const DEVICES = ["cpu", "webgpu", "cuda"] as const;
export type Device = typeof DEVICES[number];

/** Said of a device that is not there, and of runs that fail. */
export class SessionError extends Error {
  override readonly name = "SessionError";
}

/** Said where memory is not enough, of the host or of the device. */
export class MemoryError extends SessionError {}

export interface SessionOptions {
  /** `cpu` if not given. */
  readonly device?: Device;
  /**
   * Threads of one operator; as many as the processor has cores if not given.
   * On the CPU results are the same, bit by bit, for the same number.
   */
  readonly threads?: number;
  /** State: by name of an output, the input that it feeds at the next run. */
  readonly feedback?: Readonly<Record<string, string>>;
}

type Arrays = Readonly<Record<string, Data>>;
type OrtTensor = Runtime.Tensor;
type Ort = typeof Runtime;

/** One piece of state; `spare` is the buffer that the next run writes. */
interface Held {
  now?: OrtTensor;
  spare?: OrtTensor | undefined;
}

let loaded: Promise<Ort> | undefined;

/** What is worth a line of the runtime's own; all else is thrown. */
const FATAL = 4;

async function load(): Promise<Ort> {
  const ort = await import("onnxruntime-node");
  ort.env.logLevel = "fatal";
  return ort;
}

async function runtime(): Promise<Ort> {
  try {
    return await (loaded ??= load());
  } catch (cause) {
    throw new SessionError("ONNX Runtime cannot be loaded", { cause });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** How the runtime, its devices and JavaScript say that memory is not enough. */
const NO_MEMORY =
  /bad[ _]alloc|failed to allocate|out of memory|allocation failed|invalid typed array length|exceeds the max buffer size/i;

/** Whether an error says that memory is not enough. */
export function isOutOfMemory(cause: unknown): boolean {
  return cause instanceof MemoryError || NO_MEMORY.test(messageOf(cause));
}

function sessionError(what: string, cause: unknown): SessionError {
  const message = `${what}: ${messageOf(cause)}`;
  return isOutOfMemory(cause)
    ? new MemoryError(message, { cause })
    : new SessionError(message, { cause });
}

function tensorOf(ort: Ort, kind: Tensor, data: Data): OrtTensor {
  const { dtype, shape } = kind;
  if (!(data instanceof ARRAYS[dtype]) || data.length !== sizeOf(shape)) {
    const given = `${data?.constructor.name} of ${data?.length}`;
    throw new SessionError(`${kind.name} is ${describe(kind)}, not ${given}`);
  }
  return new ort.Tensor(dtype, data as Float32Array, [...shape]);
}

function optionsOf(
  device: Device,
  threads: number | undefined,
  resident: ReadonlyArray<string>,
): Runtime.InferenceSession.SessionOptions {
  const location = resident.map((name) => [name, "gpu-buffer"] as const);
  return {
    executionProviders: device === "cpu" ? ["cpu"] : [device, "cpu"],
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    interOpNumThreads: 1,
    logSeverityLevel: FATAL,
    // Numbers next to 0 make processors slow, and change nothing here.
    extra: { session: { set_denormal_as_zero: "1" } },
    ...(device === "webgpu"
      ? { preferredOutputLocation: Object.fromEntries(location) }
      : {}),
  };
}

/**
 * A graph, ready to run. Opened by {@linkcode openSession}; `release` it when it
 * is done with.
 */
export class Session {
  readonly #ort: Ort;
  readonly #session: Runtime.InferenceSession;
  readonly #graph: Graph;
  readonly #options: SessionOptions;
  readonly #held = new Map<string, Held>();

  /** @private */
  constructor(
    ort: Ort,
    session: Runtime.InferenceSession,
    graph: Graph,
    options: SessionOptions,
  ) {
    this.#ort = ort;
    this.#session = session;
    this.#graph = graph;
    this.#options = options;
    for (const [output, input] of Object.entries(options.feedback ?? {})) {
      const [from, to] = [graph.outputs.get(output), graph.inputs.get(input)];
      if (!from || !to || describe(from) !== describe(to)) {
        throw new SessionError(`${output} cannot feed ${input}`);
      }
      this.#held.set(input, {});
    }
  }

  /** Whether state stays off the host between runs. */
  get #isResident(): boolean {
    return this.#options.device === "webgpu";
  }

  #kindOf(input: string): Tensor {
    const kind = this.#graph.inputs.get(input);
    if (kind) return kind;
    throw new SessionError(`The graph has no input ${input}`);
  }

  #heldOf(input: string): Held {
    this.#kindOf(input);
    const held = this.#held.get(input) ?? {};
    this.#held.set(input, held);
    return held;
  }

  /** Sets state, or an input to stay as it is, from a copy of `data`. */
  set(input: string, data: Data): void {
    const held = this.#heldOf(input);
    this.#dispose(held.now);
    held.now = tensorOf(this.#ort, this.#kindOf(input), data.slice() as Data);
    held.spare = undefined;
  }

  /**
   * State itself, not a copy, to be written between runs.
   *
   * @throws SessionError if it is on a device.
   */
  held(input: string): Data {
    const { now } = this.#heldOf(input);
    if (now?.location === "cpu") return now.data as Data;
    throw new SessionError(`${input} is not on the host`);
  }

  /** A copy of state. */
  async get(input: string): Promise<Data> {
    const { now } = this.#heldOf(input);
    if (!now) throw new SessionError(`${input} has not been set`);
    if (now.location === "cpu") return (now.data as Data).slice() as Data;
    return await this.#readBack(this.#kindOf(input), now);
  }

  /** `getData()` of a tensor on a device ends the process; a graph may copy. */
  async #readBack(kind: Tensor, tensor: OrtTensor): Promise<Data> {
    const graph = new Graph();
    graph.output("y", graph.input("x", kind.dtype, kind.shape));
    const { device, threads } = this.#options;
    const options = optionsOf(device!, threads, []);
    const bytes = modelBytes(graph);
    const copy = await this.#ort.InferenceSession.create(bytes, options);
    const { y } = await copy.run({ x: tensor });
    await copy.release();
    return y!.data as Data;
  }

  #dispose(tensor: OrtTensor | undefined): void {
    if (tensor && tensor.location !== "cpu") tensor.dispose();
  }

  #feeds(given: Arrays): Record<string, OrtTensor> {
    const feeds: Record<string, OrtTensor> = {};
    for (const [name, kind] of this.#graph.inputs) {
      const data = given[name];
      const now = this.#held.get(name)?.now;
      const tensor = data ? tensorOf(this.#ort, kind, data) : now;
      if (!tensor) throw new SessionError(`${name} has not been given`);
      feeds[name] = tensor;
    }
    return feeds;
  }

  /** Where the outputs go: state on the host into its spare buffers. */
  #fetches(): Record<string, OrtTensor | null> {
    const { feedback = {} } = this.#options;
    const fetches: Record<string, OrtTensor | null> = {};
    for (const [output, { dtype, shape }] of this.#graph.outputs) {
      const input = feedback[output];
      fetches[output] = null;
      if (input === undefined || this.#isResident) continue;
      const held = this.#heldOf(input);
      held.spare ??= new this.#ort.Tensor(
        dtype,
        new ARRAYS[dtype](sizeOf(shape)) as Float32Array,
        [...shape],
      );
      fetches[output] = held.spare;
    }
    return fetches;
  }

  #keep(results: Runtime.InferenceSession.OnnxValueMapType): void {
    for (
      const [output, input] of Object.entries(this.#options.feedback ?? {})
    ) {
      const held = this.#heldOf(input);
      const before = held.now;
      held.now = results[output] as OrtTensor;
      if (this.#isResident) this.#dispose(before);
      else held.spare = before;
    }
  }

  /**
   * Runs the graph once. State comes from the run before, or from `set`; other
   * inputs are given. What feeds state is kept, the other outputs are returned.
   *
   * @throws SessionError if an input is missing or of another type or length, or
   * if ONNX Runtime fails; MemoryError if memory is not enough.
   */
  async run(inputs: Arrays = {}): Promise<Readonly<Record<string, Data>>> {
    const feeds = this.#feeds(inputs);
    const fetches = this.#fetches();
    let results;
    try {
      results = await this.#session.run(feeds, fetches);
    } catch (cause) {
      throw sessionError("A run failed", cause);
    }
    this.#keep(results);
    const { feedback = {} } = this.#options;
    const rest = [...this.#graph.outputs.keys()].filter((name) =>
      !(name in feedback)
    );
    return Object.fromEntries(
      rest.map((name) => [name, results[name]!.data as Data]),
    );
  }

  /** Gives memory back, on the host and on the device. */
  async release(): Promise<void> {
    for (const { now } of this.#held.values()) this.#dispose(now);
    this.#held.clear();
    await this.#session.release();
  }
}

/**
 * Makes a graph ready to run on a device.
 *
 * @throws SessionError if the device is not there, with those that are.
 * @example A counter, whose count the session keeps
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { Graph } from "./graph.ts";
 * import { add } from "./operators.ts";
 *
 * const graph = new Graph();
 * const count = graph.input("count", "float32", []);
 * graph.output("next", add(count, graph.scalar(1)));
 * const session = await openSession(graph, { feedback: { next: "count" } });
 * session.set("count", Float32Array.of(5));
 * await session.run();
 * await session.run();
 * deepEqual(await session.get("count"), Float32Array.of(7));
 * await session.release();
 * ```
 */
export async function openSession(
  graph: Graph,
  options: SessionOptions = {},
): Promise<Session> {
  const { device = "cpu", threads, feedback = {} } = options;
  const ort = await runtime();
  const bytes = modelBytes(graph);
  const settings = optionsOf(device, threads, Object.keys(feedback));
  const created = ort.InferenceSession.create(bytes, settings);
  const session = await created.catch(async (cause: unknown) => {
    const isLeft = device === "cpu" || isOutOfMemory(cause);
    const where = isLeft
      ? ""
      : ` on ${device}; is it there? Here are ${await devicesHere(ort)}`;
    throw sessionError(`Cannot open a graph${where}`, cause);
  });
  return new Session(ort, session, graph, { ...options, device });
}

/** The devices that a graph can be opened on. */
async function devicesHere(ort: Ort): Promise<ReadonlyArray<Device>> {
  const graph = new Graph();
  graph.output("y", graph.input("x", "float32", [1]));
  const bytes = modelBytes(graph);
  const here: Array<Device> = [];
  for (const device of DEVICES) {
    const options = optionsOf(device, 1, []);
    const opened = ort.InferenceSession.create(bytes, options);
    const session = await opened.catch(() => undefined);
    await session?.release();
    if (session) here.push(device);
  }
  return here;
}
