/**
 * `pack`: windows of steps as dense arrays, to train on.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import * as fs from "node:fs";
import * as path from "node:path";
import { FOLDER_FLAGS } from "../chain.ts";
import { occupied } from "../dataset.ts";
import { DataError, type StageError, UsageError } from "../errors.ts";
import { readFiles } from "../files.ts";
import type { Options } from "../flags.ts";
import { type Hasher, hasher } from "../hash.ts";
import { attempt, promised } from "../jsonl.ts";
import type { Batch } from "../lines.ts";
import { SEED_FLAG } from "../keyed.ts";
import { codeCommit, VERSION } from "../manifest.ts";
import {
  type FloatColumn,
  FLOATS,
  PACK_FILE,
  PACK_SCHEMA,
  type PackBlank,
  type PackDescription,
} from "../pack_layout.ts";
import { progress, say } from "../progress.ts";
import { columnStart, type RowIndex } from "../scan.ts";
import { columnIndex } from "../schema.ts";
import { writeWhole } from "../shard.ts";
import { sink } from "../stage.ts";
import { redrawn } from "../tasks.ts";
import { cutter, observedOf, type Tally } from "./pack/cut.ts";
import { type CutThreads, cutThreads } from "./pack/cut_threads.ts";
import { packFiles } from "./pack/files.ts";
import { filler } from "./pack/filler.ts";
import type { Wanted } from "./pack/trial.ts";

const TAGS = columnIndex("tags");
const NAME = /^pack-\d{5}\.safetensors$/;

const flags = {
  ...FOLDER_FLAGS,
  context: {
    type: "count",
    required: true,
    min: 1,
    max: 1_000_000,
    value: "C",
    summary: "steps of a window",
  },
  stride: {
    type: "count",
    min: 1,
    value: "S",
    summary: "steps from window to window (the context: no overlap)",
  },
  offset: {
    type: "text",
    choices: ["none", "random"],
    default: "none",
    value: "HOW",
    summary: "random drops up to a stride of steps before the first window",
  },
  seed: SEED_FLAG,
  label: {
    type: "text",
    value: "NAME",
    summary: "labels to pack, by the name of their reference",
  },
  columns: {
    type: "text",
    value: "NAME,…",
    summary: `more columns to pack: ${FLOATS.join(", ")}`,
  },
  observations: {
    type: "count",
    min: 1,
    value: "N",
    summary: "number of observations, where the environment is not known",
  },
  actions: {
    type: "count",
    min: 1,
    value: "A",
    summary: "number of actions, where the environment is not known",
  },
  jobs: {
    type: "count",
    min: 1,
    max: 256,
    value: "J",
    summary: "threads that cut rows; the bytes do not depend on it",
  },
} as const;

type PackOptions = Options<typeof flags>;

function columnsOf(list: string | undefined): ReadonlyArray<FloatColumn> {
  if (list === undefined) return [];
  return list.split(",").map((name) => {
    const known = FLOATS.find((column) => column === name);
    if (known !== undefined) return known;
    throw new UsageError({
      message: `Cannot pack column ${name}: not one of ${FLOATS.join(", ")}`,
    });
  });
}

/** What is seen and done, by the flags, else by the first row's task. */
function wantedOf(row: RowIndex, options: PackOptions): Wanted {
  const rest = {
    label: options.label,
    tagged: columnStart(row, 0, TAGS) !== 0,
    columns: columnsOf(options.columns),
  };
  const { observations: n, actions } = options;
  const given = (n: number) => ({ n, given: true });
  if (n !== undefined && actions !== undefined) {
    return { ...rest, observed: given(n), actions: given(actions) };
  }
  const text = new TextDecoder();
  const span = row.bytes.subarray(row.start, row.end);
  const { env, task } = redrawn(JSON.parse(text.decode(span)).task);
  const space = env.observations(task);
  const count = actions ?? env.actions(task);
  if (space.kind === "text") {
    throw new DataError({ message: `Cannot pack ${env.name}: it shows text` });
  }
  if (typeof count !== "number") {
    throw new DataError({
      message: `Cannot pack ${env.name}: its actions are vectors`,
    });
  }
  // Tasks differ in how many there are: what is seen may raise these.
  const atLeast = (n: number) => ({ n, given: false });
  return {
    ...rest,
    observed: space.kind === "box"
      ? space.shape.reduce((a, b) => a * b, 1)
      : n === undefined
      ? atLeast(space.n)
      : given(n),
    actions: actions === undefined ? atLeast(count) : given(actions),
  };
}

/** Windows on their way to files. */
interface Packer {
  readonly add: (batch: Batch) => void;
  /** Waits for what is being cut or written, where that is too much. */
  readonly catchUp: (what: string) => Effect.Effect<void, StageError>;
  /** Waits for all that was added to be cut: what is wrong in it comes first. */
  readonly heard: () => Promise<void>;
  /** Writes what is left; gives the description, less its inputs. */
  readonly finish: () => Promise<Omit<PackDescription, "inputs" | "code">>;
  /** Nothing is being cut or written any more, whatever befell it. */
  readonly settled: () => Promise<void>;
}

/** Bytes of rows before threads are started that nobody asked for. */
const FEW = 2 ** 24;
/** Threads of which one that reads and puts together keeps up with no more. */
const MANY = 4;

/**
 * How many threads are to cut, and after so many bytes of rows. With one, rows are
 * cut where they are read: reading, writing and hashing keep a core busy.
 */
function jobsOf({ jobs }: PackOptions): readonly [number, number] {
  if (jobs !== undefined) return [jobs, 0];
  const others = navigator.hardwareConcurrency - 1;
  return [Math.max(1, Math.min(others, MANY)), FEW];
}

function packer(options: PackOptions, hashing: Hasher): Packer {
  const { context, out, label, offset, seed } = options;
  const stride = options.stride ?? context;
  const columns = columnsOf(options.columns);
  const cut = { context, stride, offset, seed, label, columns };
  const shown = progress(0);
  const files = packFiles(out, hashing);
  let [count, total] = [0, 0];
  const into = filler<PackBlank>({
    take: files.take,
    give: (blank, windows) => {
      files.publish(blank, windows);
      count += windows;
    },
  });
  const own = cutter(cut, (row) => wantedOf(row, options), into);
  const [jobs, few] = jobsOf(options);
  let threads: CutThreads | undefined;
  let seen = 0;
  const onTally = ({ rows, steps, packed }: Tally) => {
    total += packed;
    shown.add({ rows, steps });
  };
  return {
    add: (batch) => {
      if (threads) return threads.add(batch);
      seen += batch.bytes.length;
      batch.release?.(own.add(batch));
      onTally(own.tally());
      const wanted = own.wanted();
      if (jobs === 1 || seen <= few || !wanted) return;
      threads = cutThreads(jobs, { cut, wanted }, into, onTally);
    },
    catchUp: (what) =>
      files.isBehind() || threads?.isBehind()
        ? promised(what, async () => {
          await threads?.caughtUp();
          await files.caughtUp();
        })
        : Effect.void,
    settled: async () => {
      threads?.stop();
      await files.settled();
    },
    heard: async () => {
      await threads?.finish();
    },
    finish: async () => {
      await threads?.finish();
      into.flush();
      shown.finish();
      const wanted = own.wanted();
      if (!wanted) throw new DataError({ message: "Cannot pack: no rows" });
      return {
        schema: PACK_SCHEMA,
        context,
        stride,
        windows: count,
        steps: total,
        observations: observedOf(wanted),
        actions: wanted.actions.n,
        ...(label !== undefined && { label }),
        tags: wanted.tagged,
        columns,
        files: await files.done(),
      };
    },
  };
}

/** Makes room for a packed set. */
function clear(folder: string, overwrite: boolean): void {
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  if (names.length > 0 && !overwrite) throw occupied(folder, "it is not empty");
  for (const name of names) {
    if (NAME.test(name) || name === PACK_FILE) {
      fs.rmSync(path.join(folder, name));
    }
  }
  fs.mkdirSync(folder, { recursive: true });
}

export const pack = sink(
  {
    name: "pack",
    summary: "Cut trials into windows of steps, as arrays to train on",
    details:
      `Writes DIR/pack-00000.safetensors and so on, and DIR/pack.json, which says what is
in them: windows x context arrays observations, next_observations, actions, rewards,
previous_actions, previous_rewards, previous_ends (of the step before, in the episode
before too; none is -1, 0 and 0 before the first step of a trial), positions (steps
since the trial began), starts (1 of an episode, 2 of a trial), ends (1 terminated, 2
truncated), mask (1 where there is a step), tags (-1 none), and with --label labels.
Integers are of 8, 16 or 32 bits, as few as hold all that was met when a file began.
Windows go over the ends of episodes, never over those of trials. Without --jobs as many
threads cut, once there is much, as there are cores but one, four at most.`,
    operandsFirst: 0,
    flags,
    operands: "[FILE|DIR…]",
    examples: [
      "retrial pack --context 100 --out packs trials.jsonl",
      "retrial label trials.jsonl | retrial pack --context 200 --stride 50 --label optimal --out packs",
    ],
  },
  (options, { files, rows }): Effect.Effect<void, StageError> =>
    Effect.gen(function* () {
      const { out } = options;
      const what = `write to ${out}`;
      const hashing = hasher();
      const packing = yield* attempt(what, () => {
        const made = packer(options, hashing);
        clear(out, options.overwrite);
        return made;
      });
      const hashes = Promise.all(files.map(hashing.hash));
      hashes.catch(() => {});
      const given = (files.length > 0 ? readFiles(files) : rows).pipe(
        Stream.tapError(() => promised(what, packing.heard)),
      );
      const [whole, hashed] = yield* Stream.runForEach(
        given,
        (batch) =>
          Effect.andThen(
            attempt(what, () => packing.add(batch)),
            packing.catchUp(what),
          ),
      ).pipe(
        Effect.andThen(
          promised(what, () => Promise.all([packing.finish(), hashes])),
        ),
        Effect.ensuring(Effect.promise(packing.settled)),
        Effect.ensuring(Effect.sync(hashing.stop)),
      );
      const description = yield* attempt(what, () => {
        const made: PackDescription = {
          ...whole,
          inputs: files.map((file, i) => ({
            file: path.relative(out, file),
            ...hashed[i]!,
          })),
          code: { version: VERSION, commit: codeCommit() },
        };
        writeWhole(
          path.join(out, PACK_FILE),
          JSON.stringify(made, null, 2) + "\n",
        );
        return made;
      });
      const { windows, context, steps } = description;
      const full = (100 * steps / (windows * context)).toFixed(1);
      say(
        `${out} now holds ${windows} windows of ${context} steps, ${full} % full\n`,
      );
    }),
);
