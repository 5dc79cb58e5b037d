/**
 * One worker of a {@linkcode runPool}: it reads the same words as the program
 * and makes the parts that it is told to.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import { thrownBy } from "./answering.ts";
import { parseChain } from "./chain.ts";
import { makePart } from "./dataset.ts";
import { isStageError, type StageError } from "./errors.ts";
import type { Assignment, FromWorker, ToWorker } from "./pool.ts";
import { planProduction, type Production } from "./production.ts";
import { stages } from "./stages.ts";

let assigned: Assignment;
let production: Production;

function post(message: FromWorker, transfer: Array<Transferable> = []): void {
  self.postMessage(message, transfer);
}

/** Bytes of a part, as they come. */
function sendBytes(part: number): Effect.Effect<void, StageError> {
  return Stream.runForEach(production.open(part), (batch) =>
    Effect.sync(() => {
      // What a batch holds may be a view of something larger.
      const bytes = batch.bytes.slice();
      batch.release?.();
      if (batch.counts) post({ type: "counts", counts: batch.counts });
      post({ type: "bytes", part, bytes }, [bytes.buffer]);
    }));
}

function make(part: number): Effect.Effect<void, StageError> {
  const { target } = assigned;
  const onBatch = (counts: { rows: number; steps: number }) =>
    post({ type: "counts", counts });
  return target
    ? Effect.map(
      makePart(production, target, part, { onBatch }),
      (entries) => post({ type: "done", part, entries }),
    )
    : Effect.map(
      sendBytes(part),
      () => post({ type: "done", part, entries: [] }),
    );
}

const start = Effect.fnUntraced(function* (assignment: Assignment) {
  assigned = assignment;
  const chain = parseChain(stages, assignment.words);
  production = yield* planProduction(chain, {
    shards: assignment.target !== undefined,
    prepared: assignment.prepared,
  });
  post({ type: "ready" });
});

const stopping = new AbortController();
let running: Promise<void> = Promise.resolve();

function run(work: Effect.Effect<void, StageError>): void {
  const { signal } = stopping;
  running = Effect.runPromise(work, { signal }).catch((error: unknown) => {
    if (signal.aborted) return;
    if (!isStageError(error)) throw error;
    post({ type: "failed", error: thrownBy(error) });
  });
}

/** Puts away what is being written; nothing comes after that. */
function stop(): void {
  stopping.abort();
  running.then(() => post({ type: "stopped" }));
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case "start":
      return run(start(data.assignment));
    case "make":
      return run(make(data.part));
    case "stop":
      return stop();
  }
};
