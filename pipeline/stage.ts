/**
 * A stage is a value: name, summary, flags, function. Code, the shell, help,
 * completion and manifests read the same value.
 *
 * @module
 */
import type * as Effect from "effect/Effect";
import type { StageError } from "./errors.ts";
import {
  type AnyOptions,
  checkOptions,
  type Flags,
  type Given,
  type Options,
} from "./flags.ts";
import {
  type Batches,
  type BatchMapper,
  mapBatches,
  type Transform,
} from "./jsonl.ts";
import type { Batch, OnBadLine } from "./lines.ts";

/** What help shows of a stage. */
export interface Signature<Name extends string, F extends Flags> {
  readonly name: Name;
  /** One sentence. */
  readonly summary: string;
  /** More, for the stage's own help. */
  readonly details?: string;
  readonly flags: F;
  /** What the words behind the flags are, for help: `[FILE|DIR…]`. */
  readonly operands?: string;
  /** Whether it loads a native library, for which permission is kept. */
  readonly native?: boolean | ((options: Options<F>) => boolean);
  /** Command lines that work as they stand. */
  readonly examples: ReadonlyArray<string>;
}

/** Rows out of nothing (or out of files that are not rows). */
export interface Source<Name extends string = string, F extends Flags = Flags>
  extends Signature<Name, F> {
  readonly kind: "source";
  readonly open: (
    options: Options<F>,
    operands: ReadonlyArray<string>,
  ) => Batches;
  /** Files that the rows depend on, for manifests; absent: the operands. */
  readonly inputs?: (
    options: Options<F>,
    operands: ReadonlyArray<string>,
  ) => ReadonlyArray<string> | undefined;
  /** For sources whose parts can be made apart, in any order, by any worker. */
  readonly parts?: (
    options: Options<F>,
    request: PartsRequest,
  ) => Effect.Effect<Parts, StageError>;
}

/** How the parts of a source are wanted. */
export interface PartsRequest {
  /** As shards of a dataset, rather than as pieces of one stream. */
  readonly shards: boolean;
  /** What {@linkcode Parts.prepared} was where the parts were first asked for. */
  readonly prepared?: unknown;
}

/** A source in parts, each a function of its index alone. */
export interface Parts {
  readonly count: number;
  /** Workers to share them among. */
  readonly jobs: number;
  readonly split: string;
  readonly open: (index: number) => Batches;
  /** Plain data that spares a worker the work of preparing. */
  readonly prepared: unknown;
  /** Steps to be expected in all, for progress; 0 if unknown. */
  readonly steps: number;
}

/** Rows to rows. */
export interface TransformStage<
  Name extends string = string,
  F extends Flags = Flags,
> extends Signature<Name, F> {
  readonly kind: "transform";
  readonly apply: (options: Options<F>, onBad?: OnBadLine) => Transform;
  /**
   * The same as a plain function, for stages that look at one row at a time
   * (with these options): they keep shards apart, and run inside workers.
   */
  readonly mapper?: (
    options: Options<F>,
    onBad?: OnBadLine,
  ) => BatchMapper | undefined;
  /** For stages that deal rows out to several splits of a dataset. */
  readonly router?: (
    options: Options<F>,
    onBad?: OnBadLine,
  ) => Router | undefined;
}

/** Deals the rows of a batch out to named splits: one run of bytes for each. */
export interface Router {
  readonly splits: ReadonlyArray<string>;
  readonly route: (batch: Batch) => ReadonlyArray<Uint8Array>;
}

/** Rows to something that is not rows, or to a place. */
export interface Sink<Name extends string = string, F extends Flags = Flags>
  extends Signature<Name, F> {
  readonly kind: "sink";
  /**
   * Reads `inputs` where files were named, else `rows`. Words that are not
   * inputs (the SQL of a query) are taken off by `operandsFirst`.
   */
  readonly operandsFirst: number;
  readonly run: (
    options: Options<F>,
    input: SinkInput,
  ) => Effect.Effect<void, StageError>;
}

/** What a sink reads. */
export interface SinkInput {
  /** The leading words that are not files. */
  readonly words: ReadonlyArray<string>;
  /** Files named by the user, folders expanded; empty if rows come by stream. */
  readonly files: ReadonlyArray<string>;
  readonly rows: Batches;
}

/** Keeps datasets: reads folders, says what it found. */
export interface Keeper<Name extends string = string, F extends Flags = Flags>
  extends Signature<Name, F> {
  readonly kind: "keeper";
  readonly run: (
    options: Options<F>,
    operands: ReadonlyArray<string>,
  ) => Effect.Effect<void, StageError>;
  /**
   * For stages that leave folders: makes one again, elsewhere, and compares; says
   * what came out the same. `undefined` for folders that are not the stage's.
   */
  readonly remake?: (
    folder: string,
  ) => Effect.Effect<string, StageError> | undefined;
}

export type Stage = Source | TransformStage | Sink | Keeper;

/** A source, its option types hidden once they are checked. */
export function source<const Name extends string, const F extends Flags>(
  signature: Signature<Name, F>,
  open: Source<Name, F>["open"],
  more: Pick<Source<Name, F>, "parts" | "inputs"> = {},
): Source<Name, F> {
  return { ...signature, kind: "source", open, ...more };
}

/** A transform that looks at one row at a time. */
export function rowTransform<const Name extends string, const F extends Flags>(
  signature: Signature<Name, F>,
  mapper: (options: Options<F>, onBad?: OnBadLine) => BatchMapper,
): TransformStage<Name, F> {
  const apply = (options: Options<F>, onBad?: OnBadLine) =>
    mapBatches(() => mapper(options, onBad));
  return { ...signature, kind: "transform", apply, mapper };
}

/** A transform that needs more than one row at a time. */
export function transform<const Name extends string, const F extends Flags>(
  signature: Signature<Name, F>,
  apply: (options: Options<F>, onBad?: OnBadLine) => Transform,
): TransformStage<Name, F> {
  return { ...signature, kind: "transform", apply };
}

/** A sink; see {@linkcode Sink}. */
export function sink<const Name extends string, const F extends Flags>(
  signature: Signature<Name, F> & { readonly operandsFirst: number },
  run: Sink<Name, F>["run"],
): Sink<Name, F> {
  return { ...signature, kind: "sink", run };
}

/** A keeper; see {@linkcode Keeper}. */
export function keeper<const Name extends string, const F extends Flags>(
  signature: Signature<Name, F>,
  run: Keeper<Name, F>["run"],
  more: Pick<Keeper<Name, F>, "remake"> = {},
): Keeper<Name, F> {
  return { ...signature, kind: "keeper", run, ...more };
}

/** Options as code gives them, checked and completed like the shell's. */
export function withDefaults<F extends Flags>(
  flags: F,
  given: Given<F>,
): Options<F> {
  // checkOptions has just made them what the flags say.
  return checkOptions(flags, given as AnyOptions) as unknown as Options<F>;
}
