/**
 * Workers: each makes whole parts of a production, told only their indices.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import type { Thrown } from "./answering.ts";
import { isStageError, type StageError } from "./errors.ts";
import type { Counts } from "./lines.ts";
import type { ShardEntry } from "./manifest.ts";
import type { Target } from "./dataset.ts";
import { received } from "./thread.ts";

/** What a worker is started with. */
export interface Assignment {
  readonly words: ReadonlyArray<string>;
  readonly prepared: unknown;
  /** A dataset to write to, or nothing for bytes to be handed back. */
  readonly target: Target | undefined;
}

export type ToWorker =
  | { readonly type: "start"; readonly assignment: Assignment }
  | { readonly type: "make"; readonly part: number }
  | { readonly type: "stop" };

export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "stopped" }
  | { readonly type: "counts"; readonly counts: Counts }
  | {
    readonly type: "bytes";
    readonly part: number;
    readonly bytes: Uint8Array<ArrayBuffer>;
  }
  | {
    readonly type: "done";
    readonly part: number;
    readonly entries: ReadonlyArray<ShardEntry>;
  }
  | { readonly type: "failed"; readonly error: Thrown };

/** What is done with what workers send. */
export interface Reception {
  readonly onCounts: (counts: Counts) => void;
  readonly onBytes: (
    part: number,
    bytes: Uint8Array,
  ) => void;
  readonly onDone: (part: number, entries: ReadonlyArray<ShardEntry>) => void;
  /**
   * How many parts may be begun so far: a stream cannot run ahead of who
   * reads it.
   */
  readonly allowed: () => number;
}

/** How long a worker may take to put away what it was writing. */
const PATIENCE_MS = 2000;

/**
 * Lets workers put away what they write, then ends them. One that is ended
 * otherwise may go on for a moment, and leave half a file behind.
 */
function halt(workers: ReadonlyArray<Worker>): Effect.Effect<void> {
  return Effect.callback((resume) => {
    let left = workers.length;
    const end = () => {
      clearTimeout(timer);
      workers.forEach((worker) => worker.terminate());
      resume(Effect.void);
    };
    const timer = setTimeout(end, PATIENCE_MS);
    for (const worker of workers) {
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if (data.type === "stopped" && --left === 0) end();
      };
      worker.postMessage({ type: "stop" } satisfies ToWorker);
    }
  });
}

/** Has `parts` made by `jobs` workers; what they send goes to `reception`. */
export function runPool(
  jobs: number,
  parts: ReadonlyArray<number>,
  assignment: Assignment,
  reception: Reception,
): Effect.Effect<void, StageError> {
  return Effect.callback<void, StageError>((resume) => {
    const url = new URL("./worker.ts", import.meta.url);
    const workers = Array.from(
      { length: Math.min(jobs, parts.length) },
      () => new Worker(url, { type: "module" }),
    );
    const idle = new Set<Worker>();
    let [next, left] = [0, parts.length];
    const terminate = Effect.sync(() =>
      workers.forEach((worker) => worker.terminate())
    );
    const stop = assignment.target ? halt(workers) : terminate;
    const end = (
      result: Effect.Effect<void, StageError>,
      stopping: Effect.Effect<void> = stop,
    ) => resume(Effect.andThen(stopping, result));
    const fail = (error: unknown) =>
      end(isStageError(error) ? Effect.fail(error) : Effect.die(error));
    const send = (worker: Worker, message: ToWorker) =>
      worker.postMessage(message);
    const handOut = () => {
      for (const worker of idle) {
        if (next >= parts.length || next >= reception.allowed()) return;
        idle.delete(worker);
        send(worker, { type: "make", part: parts[next++]! });
      }
    };
    const receive = (worker: Worker, message: FromWorker) => {
      switch (message.type) {
        case "ready":
          idle.add(worker);
          return handOut();
        case "counts":
          return reception.onCounts(message.counts);
        case "bytes":
          return reception.onBytes(message.part, message.bytes);
        case "done":
          reception.onDone(message.part, message.entries);
          idle.add(worker);
          if (--left === 0) end(Effect.void, terminate);
          else handOut();
          return;
        case "failed":
          return fail(received(message.error));
        case "stopped":
          return;
      }
    };
    for (const worker of workers) {
      worker.onmessage = ({ data }) => {
        try {
          receive(worker, data);
        } catch (error) {
          fail(error);
        }
      };
      worker.onerror = (event) => {
        event.preventDefault();
        end(Effect.die(new Error(`worker: ${event.message}`)));
      };
      send(worker, { type: "start", assignment });
    }
    return stop;
  });
}
