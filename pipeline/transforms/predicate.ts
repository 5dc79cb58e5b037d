/**
 * Expressions over one row, in the Common Expression Language: no assignment, no
 * unbounded loop, no access to anything but the row. Only what an expression
 * names is read, so a filter on `successes` never parses an observation.
 *
 * JSON numbers are doubles here and literals like `3` are ints; CEL compares the
 * two but does not add them, so the mixed operators are declared below.
 *
 * @module
 */
import { type ASTNode, Environment } from "@marcbachmann/cel-js";
import { UsageError } from "../errors.ts";
import { suggestion } from "../flags.ts";
import { fieldSpan, Malformed, type RowIndex } from "../scan.ts";
import { FIELDS } from "../schema.ts";

/** Whether a row satisfies an expression; throws Malformed where it cannot. */
export type Predicate = (row: RowIndex) => boolean;

type Reader = (row: RowIndex) => unknown;
type Context = { [name: string]: unknown };

const decoder = new TextDecoder();

/** Undiscounted sum of rewards of each episode. */
function episodeReturns(row: RowIndex): Array<number> {
  const returns: Array<number> = [];
  for (let e = 0, at = 0; e < row.episodes; e++) {
    let sum = 0;
    for (; at < row.ends[e]!; at++) sum += row.rewards.values[at]!;
    returns.push(sum);
  }
  return returns;
}

function total(list: ReadonlyArray<number>): number {
  return list.reduce((sum, x) => sum + x, 0);
}

function perEpisode(row: RowIndex, value: (e: number) => number) {
  return Array.from({ length: row.episodes }, (_, e) => value(e));
}

/** Variables that no row holds, worked out from it. */
const DERIVED: { readonly [name: string]: Reader } = {
  steps: (row) => row.ends[row.episodes - 1]!,
  length: (row) =>
    perEpisode(row, (e) => row.ends[e]! - (e === 0 ? 0 : row.ends[e - 1]!)),
  episode_returns: episodeReturns,
  trial_return: (row) => total(episodeReturns(row)),
  successes: (row) => total(perEpisode(row, (e) => row.success[e]!)),
};

function fieldReader(field: typeof FIELDS[number]): Reader {
  return (row) => {
    const span = fieldSpan(row, field);
    // An absent field is null, so that `credit != null` can be asked.
    if (span === undefined) return null;
    return JSON.parse(decoder.decode(row.bytes.subarray(span[0], span[1])));
  };
}

const READERS: { readonly [name: string]: Reader } = {
  ...Object.fromEntries(FIELDS.map((name) => [name, fieldReader(name)])),
  ...DERIVED,
};

/** Every name that an expression may use. */
export const VARIABLES: ReadonlyArray<string> = Object.keys(READERS);

function needEntries(
  name: string,
  list: ReadonlyArray<unknown>,
): Array<number> {
  if (list.length === 0) throw new Error(`${name} of an empty list`);
  return numbersOf(name, list);
}

function numbersOf(name: string, list: ReadonlyArray<unknown>): Array<number> {
  return list.map((entry) => {
    if (typeof entry === "number") return entry;
    if (typeof entry === "bigint") return Number(entry);
    throw new Error(`${name} of a list with ${typeof entry} in it`);
  });
}

const largest = (list: ReadonlyArray<number>) =>
  list.reduce((a, b) => a > b ? a : b);
const smallest = (list: ReadonlyArray<number>) =>
  list.reduce((a, b) => a < b ? a : b);

type List = ReadonlyArray<unknown>;

function addFunctions(env: Environment): void {
  const add = (name: string, f: (list: List) => number) =>
    env.registerFunction(`${name}(list): double`, f);
  add("sum", (list) => total(numbersOf("sum", list)));
  add("mean", (list) => total(needEntries("mean", list)) / list.length);
  add("min", (list) => smallest(needEntries("min", list)));
  add("max", (list) => largest(needEntries("max", list)));
}

const ARITHMETIC: {
  readonly [operator: string]: (a: number, b: number) => number;
} = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
};

type Real = number | bigint;

function addOperators(env: Environment): void {
  for (const [operator, f] of Object.entries(ARITHMETIC)) {
    const mixed = (a: Real, b: Real) => f(Number(a), Number(b));
    env.registerOperator(`double ${operator} int: double`, mixed);
    env.registerOperator(`int ${operator} double: double`, mixed);
  }
  env.registerOperator("double % double: double", ARITHMETIC["%"]!);
  // `==` of the language asks for equal types; JSON has but one of number.
  const equal = (a: Real, b: Real) => Number(a) === Number(b);
  env.registerOperator("int == double: bool", equal);
}

function environment(): Environment {
  const env = new Environment({ homogeneousAggregateLiterals: false });
  for (const name of VARIABLES) env.registerVariable(name, "dyn");
  addFunctions(env);
  addOperators(env);
  return env;
}

/** What is wrong with an expression, with a caret below the place. */
function wrongExpression(expression: string, cause: unknown): UsageError {
  const { message } = cause as Error;
  const unknown = /^Unknown variable: (\w+)/.exec(message)?.[1];
  const near = unknown === undefined ? "" : suggestion(unknown, VARIABLES);
  return new UsageError({
    message: `Cannot read the expression ${JSON.stringify(expression)}: ${
      message.replace(/\n\n/, `${near}\n`)
    }`,
  });
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value;
}

/** The names of rows that an expression reads. */
function namesIn(node: ASTNode, names: Set<string>): void {
  const args: unknown = node.args;
  if (node.op === "id" && typeof args === "string") names.add(args);
  const visit = (value: unknown): void => {
    if (isNode(value)) namesIn(value, names);
    else if (Array.isArray(value)) value.forEach(visit);
  };
  visit(args);
}

/** Reads an expression; a UsageError shows where it is not one. */
export function predicate(expression: string): Predicate {
  const { run, reads } = parsed(expression);
  const context: Context = {};
  return (row) => {
    for (const [name, read] of reads) context[name] = read(row);
    const value = evaluated(run, context);
    if (typeof value === "boolean") return value;
    throw new Malformed(
      `Cannot evaluate --where: it gives ${typeof value}, not true or false`,
    );
  };
}

function evaluated(run: (context: Context) => unknown, context: Context) {
  try {
    return run(context);
  } catch (error) {
    const { message } = error as Error;
    throw new Malformed(`Cannot evaluate --where: ${message.split("\n")[0]}`);
  }
}

function parsed(expression: string) {
  const fail = (cause: unknown) => {
    throw wrongExpression(expression, cause);
  };
  try {
    const run = environment().parse(expression);
    const { valid, type, error } = run.check();
    if (!valid) fail(error);
    if (type !== "bool" && type !== "dyn") {
      fail(new Error(`it gives ${type}, not true or false`));
    }
    const names = new Set<string>();
    namesIn(run.ast, names);
    const reads = Object.entries(READERS).filter(([name]) => names.has(name));
    return { run, reads };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return fail(error);
  }
}
