/**
 * Running a chain: to standard output, into a dataset folder, or into a sink.
 *
 * @module
 */
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Stream from "effect/Stream";
import {
  type Chain,
  commandOf,
  type Link,
  onBadLine,
  ownOptions,
} from "./chain.ts";
import {
  finishDataset,
  makePart,
  prepareFolder,
  recipeOf,
  removePartials,
  type Target,
} from "./dataset.ts";
import { type StageError, UsageError } from "./errors.ts";
import { expandInputs, readFiles, writeStdout } from "./files.ts";
import {
  attempt,
  type Batches,
  batchMapper,
  mapBatches,
  putRow,
} from "./jsonl.ts";
import type { Manifest, ShardEntry } from "./manifest.ts";
import { runPool } from "./pool.ts";
import { planProduction, type Production } from "./production.ts";
import { progress, say } from "./progress.ts";
import type { Sink } from "./stage.ts";

/** Runs what a command line says; `words` are the chain's own words. */
export function runChain(
  chain: Chain,
  words: ReadonlyArray<string>,
): Effect.Effect<void, StageError> {
  const last = chain.links.at(-1)!;
  const { stage } = last;
  if (stage.kind === "keeper") {
    return stage.run(ownOptions(last), last.operands);
  }
  if (stage.kind === "sink") return runSink(chain, last, stage);
  return chain.output.out === undefined
    ? runToStdout(chain, words)
    : runToFolder(chain, words, {
      folder: chain.output.out,
      compress: chain.output.compress,
    });
}

const runSink = Effect.fnUntraced(function* (
  chain: Chain,
  link: Link,
  stage: Sink,
): Effect.fn.Return<void, StageError> {
  const words = link.operands.slice(0, stage.operandsFirst);
  const operands = link.operands.slice(stage.operandsFirst);
  const files = yield* expandInputs(operands);
  const rows = files.length > 0
    ? readFiles(files)
    : openAll(yield* planProduction(chain, { shards: false }));
  const onError = String(link.options["on-error"]);
  if (onError === "fail") {
    return yield* stage.run(ownOptions(link), { words, files, rows });
  }
  // Bad lines are left out on the way, so that the files cannot be read as such.
  const onBad = yield* attempt("read flags", () => onBadLine(onError));
  const kept = mapBatches(() => batchMapper(putRow, onBad))(rows);
  yield* stage.run(ownOptions(link), { words, files: [], rows: kept });
});

/** All parts of a production, one after the other. */
function openAll(production: Production): Batches {
  return Stream.range(0, production.parts - 1).pipe(
    Stream.flatMap((part) => production.open(part)),
  );
}

const runToStdout = Effect.fnUntraced(function* (
  chain: Chain,
  words: ReadonlyArray<string>,
): Effect.fn.Return<void, StageError> {
  if (chain.output.overwrite || chain.output.compress !== "none") {
    return yield* new UsageError({
      message: "Cannot use --overwrite or --compress without --out",
    });
  }
  const production = yield* planProduction(chain, { shards: false });
  const shown = progress(production.steps);
  const work = production.jobs > 1
    ? poolToStdout(production, words, shown.add)
    : Stream.runForEach(
      openAll(production),
      (batch) =>
        Effect.map(writeStdout(batch.bytes), () => {
          batch.release?.();
          if (batch.counts) shown.add(batch.counts);
        }),
    );
  yield* Effect.ensuring(work, Effect.sync(shown.finish));
});

/** Parts come in any order and leave in theirs. */
function poolToStdout(
  production: Production,
  words: ReadonlyArray<string>,
  onCounts: ReturnType<typeof progress>["add"],
): Effect.Effect<void, StageError> {
  const waiting = new Map<number, Array<Uint8Array>>();
  const finished = new Set<number>();
  let current = 0;
  const write = (bytes: Uint8Array) => {
    const written = Effect.runSyncExit(writeStdout(bytes));
    if (Exit.isFailure(written)) throw Cause.squash(written.cause);
  };
  const flush = () => {
    for (;;) {
      for (const bytes of waiting.get(current) ?? []) write(bytes);
      waiting.delete(current);
      if (!finished.delete(current)) return;
      current++;
    }
  };
  const parts = Array.from({ length: production.parts }, (_, part) => part);
  return runPool(production.jobs, parts, {
    words,
    prepared: production.prepared,
    target: undefined,
  }, {
    onCounts,
    onBytes: (part, bytes) => {
      if (part === current) return write(bytes);
      waiting.set(part, [...waiting.get(part) ?? [], bytes]);
    },
    onDone: (part) => {
      finished.add(part);
      flush();
    },
    allowed: () => current + 2 * production.jobs,
  });
}

const runToFolder = Effect.fnUntraced(function* (
  chain: Chain,
  words: ReadonlyArray<string>,
  target: Target,
): Effect.fn.Return<void, StageError> {
  const production = yield* planProduction(chain, { shards: true });
  const recipe = yield* recipeOf(chain, production, target);
  const { overwrite } = chain.output;
  const work = yield* prepareFolder(target.folder, recipe, overwrite);
  if (work.manifest) return say(summary(target.folder, work.manifest, "holds"));
  const done = new Map(work.done);
  const all = Array.from({ length: production.parts }, (_, part) => part);
  const left = all.filter((part) => !done.has(part));
  if (done.size > 0) {
    say(`${target.folder}: ${done.size} of ${all.length} parts were there\n`);
  }
  const shown = progress(production.steps * left.length / all.length);
  const onDone = (part: number, entries: ReadonlyArray<ShardEntry>) => {
    done.set(part, entries);
  };
  const make = production.jobs > 1 && left.length > 1
    ? runPool(production.jobs, left, {
      words,
      prepared: production.prepared,
      target,
    }, {
      onCounts: shown.add,
      onBytes: () => {},
      onDone,
      allowed: () => Infinity,
    })
    : Effect.forEach(left, (part) =>
      Effect.map(
        makePart(production, target, part, { onBatch: shown.add }),
        (entries) => onDone(part, entries),
      ), { discard: true });
  const tidy = Effect.sync(() => {
    shown.finish();
    removePartials(target.folder);
  });
  yield* Effect.ensuring(make, tidy);
  const shards = all.flatMap((part) => done.get(part) ?? []);
  const { stages } = yield* Effect.promise(() => import("./stages.ts"));
  const command = `${commandOf(stages, recipe)} --out ${target.folder}`;
  const manifest = yield* finishDataset(target.folder, recipe, shards, command);
  say(summary(target.folder, manifest, "now holds"));
});

function summary(folder: string, manifest: Manifest, verb: string): string {
  const { rows, steps, bytes } = manifest.totals;
  const files = manifest.shards.length;
  const size = (bytes / 1e6).toFixed(1);
  return `${folder} ${verb} ${rows} trials, ${steps} steps, ${size} MB in ${files} ${
    files === 1 ? "file" : "files"
  }\n`;
}
