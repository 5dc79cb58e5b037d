/**
 * The views that SQL sees, over rows read with declared types: nothing is guessed
 * by DuckDB, so a column that no row has is NULL and not an error.
 *
 * @module
 */
import type { Batch } from "../lines.ts";
import { forEachRow } from "../lines.ts";
import { columnEnd, columnStart, type RowIndex, rowIndex } from "../scan.ts";
import { columnIndex } from "../schema.ts";
import { quoted } from "./duckdb.ts";

const OBSERVATIONS = columnIndex("observations");
const ACTIONS = columnIndex("actions");

const INTEGER = 1;
const DECIMAL = 2;
const TEXT = 4;
const VECTOR = 8;
const OTHER = 16;

/** What a byte says of a list that begins with a number. */
const IN_NUMBERS = new Uint8Array(256);
for (const byte of ".eE") IN_NUMBERS[byte.charCodeAt(0)] = DECIMAL;
for (const byte of '"[{tfn') IN_NUMBERS[byte.charCodeAt(0)] = OTHER;
/** What a byte says of a list that begins with a vector. */
const IN_VECTORS = new Uint8Array(256);
for (const byte of '"{tfn') IN_VECTORS[byte.charCodeAt(0)] = OTHER;

/** What rows hold, as far as types of columns depend on it. */
export interface Contents {
  /** Kinds of value seen, a bit each. */
  observations: number;
  actions: number;
  /** Bytes of the longest line. */
  longest: number;
}

/** What a list of values holds; `from` is at its bracket. */
function kindOf(bytes: Uint8Array, from: number, to: number): number {
  let at = from + 1;
  while (bytes[at]! <= 0x20) at++;
  const first = bytes[at]!;
  if (first === 0x5d) return 0;
  if (first === 0x22) return TEXT;
  const isVector = first === 0x5b;
  const isNumber = first === 0x2d || (first >= 0x30 && first <= 0x39);
  if (!isVector && !isNumber) return OTHER;
  // A list of lists of lists is left as JSON.
  if (isVector && bytes[at + 1] === 0x5b) return OTHER;
  const table = isVector ? IN_VECTORS : IN_NUMBERS;
  let kind = isVector ? VECTOR : INTEGER;
  for (; at < to; at++) kind |= table[bytes[at]!]!;
  return kind;
}

function look(row: RowIndex, contents: Contents): void {
  const { bytes } = row;
  const kindsOf = (column: number) => {
    let kinds = 0;
    for (let e = 0; e < row.episodes; e++) {
      const from = columnStart(row, e, column);
      kinds |= kindOf(bytes, from, columnEnd(row, e, column));
    }
    return kinds;
  };
  contents.observations |= kindsOf(OBSERVATIONS);
  contents.actions |= kindsOf(ACTIONS);
  contents.longest = Math.max(contents.longest, row.end - row.start + 1);
}

/** Checks the rows of batches and gathers what they hold. */
export function inspector(): {
  readonly contents: Contents;
  readonly inspect: (batch: Batch) => void;
} {
  const row = rowIndex();
  const contents: Contents = { observations: 0, actions: 0, longest: 0 };
  const inspect = (batch: Batch) =>
    forEachRow(batch, row, () => look(row, contents));
  return { contents, inspect };
}

function typeOf(kinds: number): string {
  if (kinds <= INTEGER) return "BIGINT[]";
  if (kinds <= (INTEGER | DECIMAL)) return "DOUBLE[]";
  if (kinds === TEXT) return "VARCHAR[]";
  return kinds === VECTOR ? "DOUBLE[][]" : "JSON[]";
}

function struct(fields: { readonly [name: string]: string }): string {
  const members = Object.entries(fields).map(([name, type]) =>
    `"${name}" ${type}`
  );
  return `STRUCT(${members.join(", ")})`;
}

function episodeType(contents: Contents): string {
  return struct({
    observations: typeOf(contents.observations),
    actions: typeOf(contents.actions),
    rewards: "DOUBLE[]",
    terminated: "BOOLEAN",
    truncated: "BOOLEAN",
    success: "BOOLEAN",
    valid: "BOOLEAN[]",
    logprobs: "DOUBLE[]",
    target_logprobs: "DOUBLE[]",
    values: "DOUBLE[]",
    labels: "JSON",
    tags: "DOUBLE[]",
    returns: "DOUBLE[]",
    advantages: "DOUBLE[]",
    anchors: "JSON[]",
    responses: "JSON[]",
    tokens: "JSON[]",
    reflection: struct({
      text: "VARCHAR",
      valid: "BOOLEAN",
      source: "VARCHAR",
      return: "DOUBLE",
      advantage: "DOUBLE",
    }),
  });
}

function rowTypes(contents: Contents): { readonly [name: string]: string } {
  return {
    id: "VARCHAR",
    task: struct({
      id: "VARCHAR",
      env: "VARCHAR",
      version: "BIGINT",
      seed: "VARCHAR",
      params: "JSON",
      world: "VARCHAR",
      draws: "BIGINT",
    }),
    sample: "BIGINT",
    seed: "VARCHAR",
    policy: struct({ name: "VARCHAR", params: "JSON" }),
    episodes: `${episodeType(contents)}[]`,
    baselines: "MAP(VARCHAR, DOUBLE)",
    credit: "JSON",
    tags: "JSON",
    boundary: "JSON",
  };
}

/** DuckDB's own default; smaller was not seen to save memory. */
const SMALLEST_OBJECT = 2 ** 24;
/** The split that a shard's name begins with. */
const SPLIT = String.raw`([^/\\]+)-[0-9]{5}-of-[0-9]{5}[^/\\]*$`;

function rowsView(files: ReadonlyArray<string>, contents: Contents): string {
  const types = Object.entries(rowTypes(contents)).map(([name, type]) =>
    `${name}: ${quoted(type)}`
  );
  const size = Math.max(SMALLEST_OBJECT, contents.longest + 1);
  return `create view rows as select * exclude (filename),
    nullif(regexp_extract(filename, ${quoted(SPLIT)}, 1), '') as split
    from read_json([${files.map(quoted).join(", ")}],
    format = 'newline_delimited', filename = true,
    maximum_object_size = ${size}, columns = {${types.join(", ")}})`;
}

const TRIALS = `create view trials as select
  id as trial, task.id as task, task.env as env, task.version as env_version,
  task.seed as task_seed, task.params as params, task.world as world,
  task.draws as draws, sample, seed, policy.name as policy,
  policy.params as policy_params, len(episodes) as episodes,
  list_sum([len(e.actions) for e in episodes])::bigint as steps,
  list_sum([coalesce(list_sum(e.rewards), 0) for e in episodes]) as return,
  len([e for e in episodes if e.success]) as successes,
  baselines, credit, split
  from rows`;

const UNNESTED = `select
  id as trial, task.id as task, task.env as env, sample, policy.name as policy,
  task.world as world, split, baselines,
  unnest(range(len(episodes))) as episode, unnest(episodes) as e from rows`;

const EPISODES = `create view episodes as select
  trial, task, env, sample, policy, episode,
  len(e.actions) as steps, coalesce(list_sum(e.rewards), 0) as return,
  (return - baselines['random']) /
    nullif(list_max(map_values(baselines)) - baselines['random'], 0) as score,
  e.success as success, e.terminated as terminated, e.truncated as truncated,
  e.returns[1] as credited, e.reflection.text as reflection,
  e.reflection.return as reflection_return, e.labels as labels, world, split
  from (${UNNESTED})`;

const STEPS = `create view steps as select
  * exclude (length, ended, cut),
  ended and t = length - 1 as terminated, cut and t = length - 1 as truncated
  from (select
    trial, task, env, sample, policy, split, episode,
    unnest(range(len(e.actions))) as t,
    unnest(e.observations[:len(e.actions)]) as observation,
    unnest(e.actions) as action, unnest(e.rewards) as reward,
    unnest(e.observations[2:]) as next_observation,
    unnest(e.returns) as return_to_go, unnest(e.advantages) as advantage,
    unnest(e.valid) as valid, unnest(e.logprobs) as logprob,
    unnest(e.target_logprobs) as target_logprob,
    unnest(e.values[:len(e.actions)]) as value, unnest(e.responses) as response,
    unnest(e.tags) as tag,
    len(e.actions) as length, e.terminated as ended, e.truncated as cut
    from (${UNNESTED}))`;

/** The statements that make the views over `files`. */
export function viewsOver(
  files: ReadonlyArray<string>,
  contents: Contents,
): ReadonlyArray<string> {
  return [rowsView(files, contents), TRIALS, EPISODES, STEPS];
}
