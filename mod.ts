/**
 * Retrial: stored rollouts to in-context-RL datasets.
 *
 * The unit is the trial: several episodes of one agent on one hidden task.
 * Stages are values; `rowsFrom` opens a source, `through` applies a transform,
 * `toTrials` reads the rows.
 *
 * @module
 */
export {
  foldIn,
  type Key,
  parseSeed,
  rootKey,
  seedOf,
} from "./kernels/random/key.ts";
export {
  bits,
  type Generator,
  generator,
  integer,
  uniform,
} from "./kernels/random/generator.ts";
export {
  type Alias,
  alias,
  beta,
  categorical,
  dirichlet,
  exponential,
  gamma,
  normal,
  permutation,
  shuffle as shuffleInPlace,
} from "./kernels/random/distributions.ts";
export {
  CROSS_FORMS,
  type CrossForm,
  reflectionReturn,
  type ReturnOptions,
  type RewardColumns,
  trialReturns,
} from "./kernels/returns.ts";
export { actionValue, evaluate, plan } from "./kernels/finite_horizon.ts";
export type { Action, Actions, Box } from "./envs/actions.ts";
export {
  defineEnvironment,
  type Environment,
  type Observation,
  type Refusal,
  type Restart,
  type Space,
  type Transition,
} from "./envs/env.ts";
export type { Params, ParamSpec, ParamSpecs } from "./envs/params.ts";
export type { Table } from "./envs/table.ts";
export { blankTable, defineTabular } from "./envs/tabular.ts";
export { checkEnvironment } from "./envs/contract.ts";
export {
  environments,
  findEnvironment,
  findPolicy,
  policies,
} from "./envs/registry.ts";
export type { Actor, Policy } from "./envs/policies/policy.ts";
export { normalisedScore } from "./kernels/solvers/score.ts";
export type { Episode, Reflection, TaskRow, Trial } from "./pipeline/schema.ts";
export type { Batch } from "./pipeline/lines.ts";
export {
  type Batches,
  fromTrials,
  toTrials,
  type Transform,
} from "./pipeline/jsonl.ts";
export {
  DataError,
  HostError,
  type StageError,
  UsageError,
} from "./pipeline/errors.ts";
export { rowsFrom, run, through } from "./pipeline/compose.ts";
export { stages } from "./pipeline/stages.ts";
export { exportRows } from "./pipeline/exports/export.ts";
export { generate } from "./pipeline/sources/generate.ts";
export { importSteps } from "./pipeline/sources/import.ts";
export { credit } from "./pipeline/transforms/credit.ts";
export { filter } from "./pipeline/transforms/filter.ts";
export { label } from "./pipeline/transforms/label.ts";
export { mask } from "./pipeline/transforms/mask.ts";
export { sample } from "./pipeline/transforms/sample.ts";
export { shuffle } from "./pipeline/transforms/shuffle.ts";
export { sort } from "./pipeline/transforms/sort.ts";
export { split } from "./pipeline/transforms/split.ts";
