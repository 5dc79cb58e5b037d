/**
 * Advantages over time, from the columns of a row.
 *
 * @module
 */
import {
  gae,
  lambdaReturns,
  vtrace,
} from "../../../kernels/advantages/temporal.ts";
import { numbers } from "../../json_numbers.ts";
import type { RowIndex } from "../../scan.ts";
import { columnIndex } from "../../schema.ts";
import { needColumn, readColumn } from "../../columns.ts";
import type { CreditOptions } from "./options.ts";

const VALUES = columnIndex("values");
const LOGPROBS = columnIndex("logprobs");
const TARGETS = columnIndex("target_logprobs");

/** Whether advantages follow from the trial alone, by its values. */
export function isTemporal({ advantage }: CreditOptions): boolean {
  return advantage === "gae" || advantage === "vtrace";
}

export function checkTemporal(
  row: RowIndex,
  { advantage }: CreditOptions,
): void {
  const why = `--advantage ${advantage} reads it`;
  needColumn(row, "values", why);
  if (advantage !== "vtrace") return;
  needColumn(row, "logprobs", why);
  needColumn(row, "target_logprobs", why);
}

const values = numbers();
const behaviour = numbers();
const target = numbers();

/** Fills in λ-returns or V-trace's targets, and advantages. */
export function addTemporal(
  row: RowIndex,
  options: CreditOptions,
  returns: Float64Array,
  advantages: Float64Array,
): void {
  readColumn(row, VALUES, values);
  const trial = {
    rewards: row.rewards.values,
    values: values.values,
    ends: row.ends,
    episodes: row.episodes,
    terminated: row.terminated,
  };
  if (options.advantage === "gae") {
    gae(trial, options, advantages);
    lambdaReturns(trial, options, returns);
    return;
  }
  readColumn(row, LOGPROBS, behaviour);
  readColumn(row, TARGETS, target);
  const ratio = {
    target: target.values,
    behaviour: behaviour.values,
    clips: { rho: options.rhoClip, c: options.cClip },
  };
  vtrace(trial, options, ratio, returns, advantages);
}
