/**
 * Tasks and rows: the name that a row gives a task, and the task that a row names.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Environment } from "../envs/env.ts";
import { ParamError, type Params, resolveParams } from "../envs/params.ts";
import { findEnvironment } from "../envs/registry.ts";
import { drawTask } from "../envs/rollout.ts";
import { fieldSpan, Malformed, type RowIndex } from "./scan.ts";
import type { TaskRow } from "./schema.ts";

/** A task, with the name that rows give it. */
export interface PlannedTask {
  readonly task: unknown;
  readonly row: TaskRow;
  readonly draws: number;
  readonly refusals: ReadonlyMap<string, number>;
}

const DIGEST_LENGTH = 16;

/** The first 64 bits of the SHA-256 of a value's JSON, in hexadecimal. */
function digest(value: unknown): string {
  const text = JSON.stringify(value);
  return createHash("sha256").update(text).digest("hex").slice(
    0,
    DIGEST_LENGTH,
  );
}

function label(env: Environment, params: Params): string {
  const short = env.label?.(params);
  return short ? `${env.name}-${short}` : env.name;
}

/** A problem met before: the first task that drew it, and its digest. */
export interface World {
  readonly task: unknown;
  readonly digest: string;
}

/**
 * Small environments draw the same few problems over and over. One object for
 * each lets what is worked out for a task (its table, its plan) be kept by it.
 */
const worlds = new WeakMap<Environment, Map<string, World>>();
const WORLDS_KEPT = 1024;

/**
 * The digest of what a task is, whatever seed it was drawn from; `undefined`
 * where the environment draws from so many problems that none comes twice.
 */
export function worldOf(env: Environment, task: unknown): World | undefined {
  if (env.world === undefined) return undefined;
  const text = JSON.stringify(task);
  const known = worlds.get(env) ?? new Map<string, World>();
  worlds.set(env, known);
  const met = known.get(text);
  if (met) return met;
  const world = {
    task,
    digest: digest([env.name, env.version, env.world(task)]),
  };
  if (known.size < WORLDS_KEPT) known.set(text, world);
  return world;
}

/** How many numbers and words a task is made of. */
function sizeOf(part: unknown): number {
  if (typeof part !== "object" || part === null) return 1;
  if (Array.isArray(part) && typeof part[0] === "number") return part.length;
  return Object.values(part).reduce((sum, one) => sum + sizeOf(one), 0);
}

/**
 * The last tasks that were drawn, so that what labels the rows of one in the
 * same process does not draw it again. Tens of megabytes with their tables, and as many as a batch has rows on.
 */
const recent = new Map<string, { planned: PlannedTask; size: number }>();
const RECENT_SIZE = 200_000;
let recentSize = 0;

function keep(key: string, planned: PlannedTask): PlannedTask {
  const size = sizeOf(planned.task);
  recent.set(key, { planned, size });
  recentSize += size;
  for (const [oldest, { size }] of recent) {
    if (recentSize <= RECENT_SIZE) break;
    recent.delete(oldest);
    recentSize -= size;
  }
  return planned;
}

const numbers = new WeakMap<Environment, number>();
let environmentsMet = 0;

/** What tells environments apart, by object: names are a user's own. */
function numberOf(env: Environment): number {
  const known = numbers.get(env) ?? environmentsMet++;
  numbers.set(env, known);
  return known;
}

/** The task of a seed, named. */
export function nameTask(
  env: Environment,
  params: Params,
  seed: string,
): PlannedTask {
  const key = `${numberOf(env)} ${seed} ${JSON.stringify(params)}`;
  return recent.get(key)?.planned ?? keep(key, drawNamed(env, params, seed));
}

function drawNamed(
  env: Environment,
  params: Params,
  seed: string,
): PlannedTask {
  const { task: drawn, draws, refusals } = drawTask(env, params, seed);
  const { name, version } = env;
  const world = worldOf(env, drawn);
  const id = digest({ env: name, version, params, seed });
  const row: TaskRow = {
    id: `${label(env, params)}-${id}`,
    env: name,
    version,
    seed,
    params,
    ...(world && { world: world.digest }),
    ...(draws > 1 && { draws }),
  };
  return { task: world ? world.task : drawn, row, draws, refusals };
}

/** What rows name the tasks of a trial that is on several: no problem of its own. */
export function joinedTask(
  ids: ReadonlyArray<string>,
  { env, version }: Pick<TaskRow, "env" | "version">,
): TaskRow {
  const text = createHash("sha256").update(ids.join("\n")).digest("hex");
  const id = `joined-${text.slice(0, DIGEST_LENGTH)}`;
  return { id, env, version, params: {} };
}

/** The environment that a row names: `given`, or one that is known here. */
export function environmentOf(
  task: TaskRow,
  given?: Environment,
): Environment {
  const env = given?.name === task.env ? given : findEnvironment(task.env);
  if (env === undefined) {
    throw new Malformed(`task.env is ${task.env}, which is not known here`);
  }
  if (env.version === task.version) return env;
  throw new Malformed(
    `task.version is ${task.version}, and ${env.name} is at ${env.version}`,
  );
}

/** The task that a row names, drawn again. */
export function taskOf(env: Environment, task: TaskRow): PlannedTask {
  // Rows are not held against all of the schema at the door.
  const { seed, params }: Partial<TaskRow> = task;
  if (seed === undefined) throw new Malformed("task.seed is missing");
  if (params === undefined) throw new Malformed("task.params is missing");
  try {
    return nameTask(env, resolveParams(env.params, params), seed);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const field = error instanceof ParamError ? "task.params" : "task";
    throw new Malformed(`${field}: ${error.message}`);
  }
}

/** The problem that a row names, drawn again; it must be the row's `world`. */
export function redrawn(
  row: TaskRow,
): { readonly env: Environment; readonly task: unknown } {
  const env = environmentOf(row);
  const { task, row: drawn } = taskOf(env, row);
  if (row.world === undefined || row.world === drawn.world) {
    return { env, task };
  }
  throw new Malformed(
    `task.world is ${row.world}, and task.seed draws ${drawn.world}`,
  );
}

const decoder = new TextDecoder();

/** What `work` makes of a row's task, kept for the rows on it that follow. */
export function perTask<A>(work: (task: TaskRow) => A): (row: RowIndex) => A {
  let last: { readonly text: string; readonly made: A } | undefined;
  return (row) => {
    const [from, to] = fieldSpan(row, "task")!;
    const text = decoder.decode(row.bytes.subarray(from, to));
    if (last?.text !== text) last = { text, made: work(JSON.parse(text)) };
    return last.made;
  };
}
