/**
 * DuckDB, opened for one question: the only importer of its native package,
 * which is loaded when a question is asked and not before.
 *
 * A session is closed to the outside before it sees any SQL of a user's: it can
 * read the files it was opened on, and nothing else.
 *
 * @module
 */
import type {
  DuckDBConnection,
  DuckDBDecimalValue as Decimal,
  DuckDBType,
  DuckDBValue,
  DuckDBValueConverter,
  Json,
} from "@duckdb/node-api";
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import * as Stream from "effect/Stream";
import {
  DataError,
  HostError,
  type StageError,
  UsageError,
} from "../errors.ts";

type Library = typeof import("@duckdb/node-api");

/** A value that prints as JSON. */
export type Cell = Json;

export interface Limits {
  readonly threads: number;
  /** In MiB. */
  readonly memory: number;
  /** Where DuckDB may put what is beyond that. */
  readonly folder: string;
}

/** What a session may touch, and what it is given before it is closed. */
export interface Opening extends Limits {
  readonly views: ReadonlyArray<string>;
  readonly paths: ReadonlyArray<string>;
}

/** Rows as they come: names and types of columns, and cells by the chunk. */
export interface Answer {
  readonly columns: ReadonlyArray<string>;
  /** Columns that are numbers, which tables align to the right. */
  readonly numeric: ReadonlyArray<boolean>;
  readonly chunks: Stream.Stream<
    ReadonlyArray<ReadonlyArray<Cell>>,
    StageError
  >;
}

export interface Session {
  readonly ask: (sql: string) => Effect.Effect<Answer, StageError>;
  /** Writes the answer to a Parquet file among the paths of the opening. */
  readonly store: (
    sql: string,
    file: string,
  ) => Effect.Effect<void, StageError>;
}

/** Text as an SQL literal. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const UNREADABLE = /JSON transform error|Malformed JSON|maximum_object_size/;
const VIEWS = "(the views are trials, episodes, steps and rows)";

/** What DuckDB threw, as the error that it is. */
function asStageError(cause: unknown): StageError {
  const { message } = cause as Error;
  const text = message.trimEnd();
  if (UNREADABLE.test(text)) {
    const [first] = text.split("\nTry setting");
    return new DataError({ message: `Cannot read rows: ${first}` });
  }
  if (/^Out of Memory/.test(text)) {
    const [first] = text.split("\n");
    const message = `Cannot run the query: ${first}; try a larger --memory`;
    return new HostError({ message });
  }
  if (/^IO Error/.test(text)) {
    return new HostError({ message: `Cannot run the query: ${text}` });
  }
  const isName = /^(Catalog|Binder) Error/.test(text);
  const isAccess = /^Permission Error/.test(text);
  const hint = isName
    ? `\n${VIEWS}`
    : isAccess
    ? "\n(SQL can read only the files named on the command line)"
    : "";
  return new UsageError({ message: `Cannot run the query: ${text}${hint}` });
}

function calling<A>(call: () => Promise<A>): Effect.Effect<A, StageError> {
  return Effect.tryPromise({ try: call, catch: asStageError });
}

function safeInteger(value: bigint): Cell {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** A decimal as a number where that prints the same value. */
function decimal(value: Decimal): Cell {
  const digits = value.value < 0n ? -value.value : value.value;
  return digits < 10n ** 15n ? value.toDouble() : value.toString();
}

function converter(library: Library): DuckDBValueConverter<Cell> {
  const { DuckDBDecimalValue, DuckDBTypeId, JsonDuckDBValueConverter } =
    library;
  const convert = (
    value: DuckDBValue,
    type: DuckDBType,
    self: DuckDBValueConverter<Cell>,
  ): Cell => {
    if (value === null || typeof value === "boolean") return value;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    if (typeof value === "bigint") return safeInteger(value);
    if (value instanceof DuckDBDecimalValue) return decimal(value);
    if (typeof value === "string" && type.typeId === DuckDBTypeId.VARCHAR) {
      return type.alias === "JSON" ? JSON.parse(value) : value;
    }
    return JsonDuckDBValueConverter(value, type, self);
  };
  return convert;
}

function isNumeric(library: Library, type: DuckDBType): boolean {
  const { DuckDBTypeId: id } = library;
  const numeric: ReadonlyArray<number> = [
    id.TINYINT,
    id.SMALLINT,
    id.INTEGER,
    id.BIGINT,
    id.HUGEINT,
    id.UTINYINT,
    id.USMALLINT,
    id.UINTEGER,
    id.UBIGINT,
    id.FLOAT,
    id.DOUBLE,
    id.DECIMAL,
  ];
  return numeric.includes(type.typeId);
}

/** Refuses all but one statement that only reads. */
async function prepared(
  library: Library,
  connection: DuckDBConnection,
  sql: string,
) {
  // DuckDB finds no message for a text without a statement.
  const isEmpty = sql.replace(/--.*|;|\s/g, "") === "";
  const statements = isEmpty
    ? undefined
    : await connection.extractStatements(sql);
  if (statements?.count !== 1) {
    const count = statements?.count ?? 0;
    throw new Error(`one SQL statement expected, found ${count}`);
  }
  const statement = await statements.prepare(0);
  const { SELECT, EXPLAIN } = library.StatementType;
  const { statementType } = statement;
  if (statementType === SELECT || statementType === EXPLAIN) return statement;
  const name = library.StatementType[statementType] ?? "this";
  throw new Error(`only SELECT and EXPLAIN are allowed, found ${name}`);
}

async function ask(
  library: Library,
  connection: DuckDBConnection,
  sql: string,
): Promise<Answer> {
  const statement = await prepared(library, connection, sql);
  const result = await statement.stream();
  const convert = converter(library);
  // The types of the result know what is JSON; those of its chunks do not.
  const types = result.columnTypes();
  const cells = (row: ReadonlyArray<DuckDBValue>) =>
    row.map((value, i) => convert(value, types[i]!, convert));
  return {
    columns: result.deduplicatedColumnNames(),
    numeric: types.map((type) => isNumeric(library, type)),
    chunks: Stream.fromAsyncIterable(result.yieldRows(), asStageError).pipe(
      Stream.map((rows) => rows.map(cells)),
    ),
  };
}

async function store(
  library: Library,
  connection: DuckDBConnection,
  sql: string,
  file: string,
): Promise<void> {
  await prepared(library, connection, sql);
  // As a view of its own: text behind the statement could not end COPY early.
  await connection.run(`create temp view answer as ${sql}`);
  const options = "format parquet, compression zstd, use_tmp_file false";
  await connection.run(`copy answer to ${quoted(file)} (${options})`);
}

async function close(connection: DuckDBConnection, opening: Opening) {
  for (const view of opening.views) await connection.run(view);
  const paths = opening.paths.map(quoted).join(", ");
  await connection.run(`set allowed_paths = [${paths}]`);
  await connection.run("set enable_external_access = false");
  await connection.run("set lock_configuration = true");
}

async function connect(library: Library, opening: Opening) {
  const instance = await library.DuckDBInstance.create(":memory:", {
    threads: `${opening.threads}`,
    memory_limit: `${opening.memory}MiB`,
    temp_directory: opening.folder,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  const end = () => {
    connection.closeSync();
    instance.closeSync();
  };
  try {
    await close(connection, opening);
  } catch (error) {
    end();
    throw error;
  }
  return { connection, end };
}

/** Opens a session, closed to all but what `opening` names. */
export function openSession(
  opening: Opening,
): Effect.Effect<Session, StageError, Scope.Scope> {
  return Effect.gen(function* () {
    const library = yield* calling(() => import("@duckdb/node-api"));
    const { connection } = yield* Effect.acquireRelease(
      calling(() => connect(library, opening)),
      ({ end }) => Effect.sync(end),
    );
    return {
      ask: (sql) => calling(() => ask(library, connection, sql)),
      store: (sql, file) =>
        calling(() => store(library, connection, sql, file)),
    };
  });
}
