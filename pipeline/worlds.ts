/**
 * Environments and policies by the names that users give, and environments of
 * their own by path.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { environments, findEnvironment, policies } from "../envs/registry.ts";
import { drawTask as sampleBySeed } from "../envs/rollout.ts";
import type { Environment } from "../envs/env.ts";
import {
  ParamError,
  type Params,
  type ParamSpecs,
  resolveParams,
} from "../envs/params.ts";
import type { Policy } from "../envs/policies/policy.ts";
import {
  DataError,
  isStageError,
  type StageError,
  UsageError,
} from "./errors.ts";
import { type Flags, pairs, suggestion } from "./flags.ts";
import type { Trial } from "./schema.ts";

/** Flags of stages that draw tasks. */
export const WORLD_FLAGS = {
  "env": {
    type: "text",
    value: "NAME|FILE",
    summary: "environment, by name or as a module of your own (./my_env.ts)",
  },
  "param": {
    type: "list",
    value: "k=v",
    summary: "parameter of the environment; may be repeated",
  },
  "tasks": {
    type: "count",
    min: 1,
    value: "N",
    summary: "hidden tasks to draw",
  },
} as const satisfies Flags;

const MODULE = /[/\\]|\.[mc]?[tj]s$/;

/** Whether an environment is given as a file rather than by name. */
export function isModule(name: string): boolean {
  return MODULE.test(name);
}

const MEMBERS = [
  "name",
  "version",
  "params",
  "sampleTask",
  "observations",
  "actions",
  "horizon",
  "reset",
  "step",
] as const;

function isEnvironment(value: unknown): value is Environment {
  return typeof value === "object" && value !== null &&
    MEMBERS.every((member) => member in value);
}

function loadModule(file: string): Effect.Effect<Environment, StageError> {
  const url = pathToFileURL(path.resolve(file)).href;
  return Effect.tryPromise({
    try: () => import(url) as Promise<{ readonly default?: unknown }>,
    catch: (cause): StageError => {
      const { message } = cause as Error;
      return new DataError({ message: `Cannot load ${file}: ${message}` });
    },
  }).pipe(
    Effect.flatMap((module) =>
      isEnvironment(module.default)
        ? Effect.succeed(module.default)
        : Effect.fail(
          new DataError({
            message:
              `Cannot use ${file} as an environment: its default export lacks one of ${
                MEMBERS.join(", ")
              }`,
          }),
        )
    ),
  );
}

/** The environment of that name, or in that file. */
export function loadEnvironment(
  name: string,
): Effect.Effect<Environment, StageError> {
  if (isModule(name)) return loadModule(name);
  const found = environments.find((env) => env.name === name);
  if (found) return Effect.succeed(found);
  const known = environments.map((env) => env.name);
  return Effect.fail(unknown("environment", name, known));
}

/**
 * What an environment of the caller's own throws is theirs, and so is a task or a
 * step that it cannot make: neither is a bug of ours. None where it may be one.
 */
export function faultIn(
  env: Environment,
  error: unknown,
): DataError | undefined {
  if (error instanceof RangeError) {
    return new DataError({ message: error.message });
  }
  if (environments.includes(env) || isStageError(error)) return undefined;
  const why = error instanceof Error ? error.message : String(error);
  return new DataError({ message: `Cannot play ${env.name}: it threw ${why}` });
}

/** The policy of that name. */
export function loadPolicy(name: string): Effect.Effect<Policy, StageError> {
  const found = policies.find((policy) => policy.name === name);
  if (found) return Effect.succeed(found);
  const known = policies.map((policy) => policy.name);
  return Effect.fail(unknown("policy", name, known));
}

function unknown(
  what: string,
  name: string,
  known: ReadonlyArray<string>,
): UsageError {
  const near = suggestion(name, known);
  const all = near ? "" : `; known are ${known.join(", ")}`;
  return new UsageError({
    message: `Cannot find ${what} ${name}${near}${all}`,
  });
}

/** Parameters from `--param` words, complete; `owner` is named in errors. */
export function readParams(
  owner: string,
  specs: ParamSpecs,
  flag: string,
  words: ReadonlyArray<string>,
): Effect.Effect<Params, StageError> {
  return Effect.try({
    try: () => resolveParams(specs, pairs(flag, words)),
    catch: (cause): StageError => {
      if (cause instanceof UsageError) return cause;
      if (!(cause instanceof ParamError)) throw cause;
      const known = cause.known ?? [];
      const near = suggestion(cause.param, known);
      const all = cause.known && !near
        ? `; known are ${known.join(", ") || "none"}`
        : "";
      return new UsageError({
        message: `${owner}: ${cause.message}${near}${all}`,
      });
    },
  });
}

/** The task of a trial as text, where its environment is known and draws it. */
export function drawTask({ task }: Trial): string | undefined {
  const env = findEnvironment(task.env);
  if (env?.render === undefined || env.version !== task.version) {
    return undefined;
  }
  if (task.seed === undefined) return undefined;
  const params = resolveParams(env.params, task.params);
  return env.render(sampleBySeed(env, params, task.seed).task);
}
