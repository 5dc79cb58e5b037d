/**
 * `query`: SQL over rows, in DuckDB.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import * as Stream from "effect/Stream";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type StageError, UsageError } from "../errors.ts";
import { readFiles, writeAll, writeStdout } from "../files.ts";
import { attempt, type Batches } from "../jsonl.ts";
import { sink, type SinkInput } from "../stage.ts";
import { openSession, type Session } from "./duckdb.ts";
import { type Format, FORMATS, PRINTERS } from "./formats.ts";
import { type Contents, inspector, viewsOver } from "./views.ts";

const utf8 = new TextEncoder();
type Scoped<A> = Effect.Effect<A, StageError, Scope.Scope>;

/** A folder of our own, gone when the scope ends. */
function temporaryFolder(): Scoped<string> {
  return Effect.acquireRelease(
    attempt(
      "make a temporary folder",
      () => fs.mkdtempSync(path.join(os.tmpdir(), "retrial-")),
    ),
    (folder) =>
      Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true })),
  );
}

/** An open file, closed when the scope ends. */
function openFile(file: string): Scoped<number> {
  return Effect.acquireRelease(
    attempt(`write ${file}`, () => fs.openSync(file, "w")),
    (fd) => Effect.sync(() => fs.closeSync(fd)),
  );
}

interface Checked {
  readonly files: ReadonlyArray<string>;
  readonly contents: Contents;
}

/** Writes rows to a file that DuckDB can read, checking each. */
function spool(
  rows: Batches,
  folder: string,
): Effect.Effect<Checked, StageError> {
  const file = path.join(folder, "rows.jsonl");
  const { contents, inspect } = inspector();
  return Effect.scoped(Effect.gen(function* () {
    const fd = yield* openFile(file);
    yield* Stream.runForEach(
      rows,
      (batch) =>
        attempt("keep rows in a temporary file", () => {
          inspect(batch);
          writeAll(fd, batch.bytes);
        }),
    );
    return { files: [file], contents };
  }));
}

/** DuckDB reads these in a name as a pattern. */
const PATTERN = /[*?[]/;

function check(
  files: ReadonlyArray<string>,
  folder: string,
): Effect.Effect<Checked, StageError> {
  if (files.some((file) => PATTERN.test(file))) {
    return spool(readFiles(files), folder);
  }
  const { contents, inspect } = inspector();
  return Stream.runForEach(
    readFiles(files),
    (batch) => attempt("read rows", () => inspect(batch)),
  ).pipe(
    Effect.as({ files: files.map((file) => path.resolve(file)), contents }),
  );
}

interface QueryOptions {
  readonly format?: Format | undefined;
  readonly output?: string | undefined;
  readonly memory: number;
  readonly threads?: number | undefined;
}

function usage(message: string): Effect.Effect<never, StageError> {
  return Effect.fail(new UsageError({ message }));
}

/** Written beside the file and renamed, so that no half of it is ever seen. */
function publish(
  partial: string,
  file: string,
): Effect.Effect<void, StageError> {
  return attempt(`write ${file}`, () => {
    const fd = fs.openSync(partial, "r");
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    fs.renameSync(partial, file);
  });
}

type Write = (text: string) => Effect.Effect<void, StageError>;

function print(
  session: Session,
  sql: string,
  format: Exclude<Format, "parquet">,
  write: Write,
): Effect.Effect<void, StageError> {
  return Effect.gen(function* () {
    const answer = yield* session.ask(sql);
    const printer = PRINTERS[format](answer);
    yield* write(printer.begin);
    yield* Stream.runForEach(
      answer.chunks,
      (rows) => write(printer.chunk(rows)),
    );
    yield* write(printer.end());
    const note = printer.note();
    if (note) yield* tell(note);
  });
}

/** Speaks to a person; whether anyone listens does not matter. */
function tell(note: string): Effect.Effect<void> {
  return Effect.sync(() => {
    try {
      Deno.stderr.writeSync(utf8.encode(`retrial: ${note}\n`));
    } catch { /* Nobody listens. */ }
  });
}

function toStdout(text: string): Effect.Effect<void, StageError> {
  return text === "" ? Effect.void : writeStdout(utf8.encode(text));
}

function toFile(
  session: Session,
  sql: string,
  format: Format,
  partial: string,
): Effect.Effect<void, StageError> {
  if (format === "parquet") return session.store(sql, partial);
  return Effect.scoped(Effect.gen(function* () {
    const fd = yield* openFile(partial);
    const write = (text: string) =>
      attempt(`write ${partial}`, () => writeAll(fd, utf8.encode(text)));
    yield* print(session, sql, format, write);
  }));
}

function formatOf({ format, output }: QueryOptions): Format {
  if (format !== undefined) return format;
  if (output === undefined) return Deno.stdout.isTerminal() ? "table" : "jsonl";
  const extension = path.extname(output).slice(1);
  return FORMATS.find((format) => format === extension) ?? "jsonl";
}

function answer(options: QueryOptions, sql: string, input: SinkInput) {
  const format = formatOf(options);
  const { output } = options;
  const partial = output && path.resolve(`${output}.partial`);
  return Effect.gen(function* () {
    if (format === "parquet" && output === undefined) {
      return yield* usage(
        "Cannot print Parquet to a stream: give --output FILE",
      );
    }
    const folder = yield* temporaryFolder();
    const { files, contents } = yield* input.files.length > 0
      ? check(input.files, folder)
      : spool(input.rows, folder);
    const session = yield* openSession({
      threads: options.threads ?? navigator.hardwareConcurrency,
      memory: options.memory,
      folder,
      views: viewsOver(files, contents),
      paths: partial === undefined ? files : [...files, partial],
    });
    if (partial === undefined || output === undefined) {
      return format === "parquet"
        ? undefined
        : yield* print(session, sql, format, toStdout);
    }
    yield* toFile(session, sql, format, partial).pipe(
      Effect.onError(() =>
        Effect.sync(() => fs.rmSync(partial, { force: true }))
      ),
    );
    yield* publish(partial, output);
  });
}

export const query = sink({
  name: "query",
  native: true,
  summary: "Ask in SQL, over the views trials, episodes and steps",
  details: `The SQL is DuckDB's; one SELECT or EXPLAIN. It sees
  trials    trial task env env_version task_seed params world draws sample seed
            policy policy_params episodes steps return successes credit split
  episodes  trial task env sample policy episode steps return success terminated
            truncated credited reflection reflection_return labels world split
  steps     trial task env sample policy split episode t observation action reward
            next_observation terminated truncated return_to_go advantage valid
            logprob value response tag
  rows      the rows as they are, nested, and split
split is what a shard is named for (train-00000-of-00016.jsonl), else NULL;
episode and t count from 0; return is undiscounted; credited and return_to_go are
what retrial credit wrote, NULL before it has. Observations and actions are
BIGINT, DOUBLE, VARCHAR or DOUBLE[], whatever holds all that is there, and JSON
where kinds are mixed. SQL can read only the files named. Every row is checked
before the first is answered for. Integers beyond 2^53 print as strings in JSON.
DuckDB holds some 0.6 GB whatever the size of the input, and may need more than
--memory while it writes Parquet; fewer threads need less.`,
  operandsFirst: 1,
  flags: {
    format: {
      type: "text",
      choices: FORMATS,
      value: "FORMAT",
      summary: "table on a terminal, jsonl into a pipe, or as --output ends",
    },
    output: {
      type: "text",
      value: "FILE",
      summary: "write the answer to this file",
    },
    memory: {
      type: "count",
      default: 1024,
      min: 64,
      value: "MIB",
      summary: "memory of the query, in MiB; beyond it, a temporary folder",
    },
    threads: {
      type: "count",
      min: 1,
      value: "N",
      summary: "threads of the query; as many as there are cores",
    },
  },
  operands: "SQL [FILE|DIR…]",
  examples: [
    "retrial query 'select episode, avg(return) from episodes group by all order by all' trials.jsonl",
    "retrial query 'select action, count(*) from steps group by all' --format csv dataset",
    "retrial query 'from steps' --output steps.parquet trials.jsonl",
  ],
}, (options, input) => {
  const [sql] = input.words;
  if (sql === undefined) return usage("Cannot query without SQL");
  return Effect.scoped(answer(options, sql, input));
});
