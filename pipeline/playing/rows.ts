/**
 * Trials of a model as rows: planned by their index, played a batch at a time.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import type { TrialRecord } from "../../envs/rollout.ts";
import { GraphError } from "../../kernels/onnx/graph.ts";
import {
  type Device,
  DEVICES,
  SessionError,
} from "../../kernels/onnx/session.ts";
import { recycle, take, type Writer, writer } from "../bytes.ts";
import {
  DataError,
  HostError,
  hostError,
  isStageError,
  type StageError,
} from "../errors.ts";
import type { Flags } from "../flags.ts";
import type { Batches } from "../jsonl.ts";
import type { Batch } from "../lines.ts";
import type { PlannedTask } from "../tasks.ts";
import type { Model } from "./checkpoint.ts";
import {
  openPlayer,
  type Player,
  type PlayerOptions,
  type Sitting,
} from "./player.ts";
import { ticker } from "./ticker.ts";

/** Flags of stages in which a model plays. */
export const PLAY_FLAGS = {
  parallel: {
    type: "count",
    default: 256,
    min: 1,
    value: "B",
    summary: "trials of a model at once; the bytes do not depend on it",
  },
  device: {
    type: "text",
    choices: DEVICES,
    value: "NAME",
    summary: "where a model runs (cpu)",
  },
  threads: {
    type: "count",
    min: 1,
    value: "N",
    summary: "threads of an operator of a model",
  },
} as const satisfies Flags;

/** A trial to be played, and how its row is written. */
export interface PlannedTrial {
  readonly sitting: Sitting;
  readonly put: (out: Writer, records: ReadonlyArray<TrialRecord>) => void;
  /** Its task, with the first trial on it: for the counts of what was drawn. */
  readonly drawn?: PlannedTask | undefined;
}

/** What {@linkcode PLAY_FLAGS} say. */
export interface Running {
  readonly parallel: number;
  readonly device?: string | undefined;
  readonly threads?: number | undefined;
}

/** Trials by their index, each a function of it alone. */
export interface Plays {
  /** What batches say that they come from. */
  readonly origin: string;
  readonly model: Model;
  readonly options: Omit<PlayerOptions, "batch" | "device"> & Running;
  /** Indices, from `from` to `to`. */
  readonly from: number;
  readonly to: number;
  /** Episodes that a trial has; infinite where nobody knows. */
  readonly episodes: number;
  readonly plan: (index: number) => PlannedTrial;
  /** What the world of these trials is to blame for. */
  readonly faultOf?: ((cause: unknown) => StageError | undefined) | undefined;
}

/** What planning and playing threw, as the error of a stage. */
function stageError(cause: unknown, { faultOf }: Plays): StageError {
  if (isStageError(cause)) return cause;
  if (cause instanceof SessionError) {
    return new HostError({ message: `Cannot play: ${cause.message}` });
  }
  // Its config and its weights do not go together.
  if (cause instanceof GraphError) {
    return new DataError({ message: `Cannot play: ${cause.message}` });
  }
  return faultOf?.(cause) ?? hostError("play", cause);
}

/** What was drawn for a batch, where that is counted. */
function countsOf(planned: ReadonlyArray<PlannedTrial>) {
  const drawn = planned.flatMap(({ drawn }) => drawn ?? []);
  if (drawn.length === 0) return {};
  const refusals: { [why: string]: number } = {};
  for (const { refusals: own } of drawn) {
    for (const [why, n] of own) refusals[why] = (refusals[why] ?? 0) + n;
  }
  const draws = drawn.reduce((sum, { draws }) => sum + draws, 0);
  return { tasks: drawn.length, draws, refusals };
}

async function playBatch(
  player: Player,
  { origin, plan, to, from: first, options }: Plays,
  from: number,
  shown: ReturnType<typeof ticker>,
): Promise<Batch> {
  const rows = Math.min(options.parallel, to - from);
  const planned = Array.from({ length: rows }, (_, i) => plan(from + i));
  const sittings = planned.map(({ sitting }) => sitting);
  const played = await player.play(
    sittings,
    (reached) => shown.tick(reached, rows),
  );
  const out = writer(1 << 20);
  let [steps, episodes] = [0, 0];
  played.forEach((records, i) => {
    planned[i]!.put(out, records);
    for (const record of records) {
      steps += record.ends[record.episodes - 1]!;
      episodes += record.episodes;
    }
  });
  shown.add({ trials: rows, episodes, slowest: 0 });
  const bytes = take(out);
  return {
    bytes,
    place: { origin, line: from - first + 1 },
    offset: 0,
    counts: { rows, steps, ...countsOf(planned) },
    release: () => recycle(bytes),
  };
}

/** The rows of trials, a batch of {@linkcode PLAY_FLAGS}' `parallel` at a time. */
export function playRows(plays: Plays): Batches {
  const { model, options, from, to, episodes } = plays;
  const trials = to - from;
  const batch = Math.min(options.parallel, trials);
  // The flag has these choices alone.
  const device = (options.device ?? "cpu") as Device;
  const { threads } = options;
  const own = { ...options, batch, device, threads };
  const opening = Effect.tryPromise({
    try: () => openPlayer(model.config, model.weights, own),
    catch: (cause) => stageError(cause, plays),
  });
  const player = Effect.acquireRelease(
    opening,
    (open) => Effect.promise(() => open.release()),
  );
  const opened = Effect.map(player, (open) => {
    const shown = ticker({ trials, episodes });
    return Stream.unfold(
      from,
      (at) =>
        at >= to ? Effect.sync(shown.finish).pipe(Effect.as(undefined)) : Effect
          .tryPromise({
            try: async () =>
              [
                await playBatch(open, plays, at, shown),
                at + options.parallel,
              ] as const,
            catch: (cause) => stageError(cause, plays),
          }),
    );
  });
  return Stream.unwrap(opened);
}
