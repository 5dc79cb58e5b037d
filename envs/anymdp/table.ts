/**
 * AnyMDP tasks as tables, and as bands to solve.
 *
 * @module
 */
import type { BandedMdp } from "../../kernels/solvers/banded.ts";
import { roundReward } from "../reward.ts";
import { blankTable } from "../tabular.ts";
import type { Table } from "../table.ts";
import type { AnyMdpTask } from "./task.ts";

/** 1 for each rank that ends an episode. */
function endsOf({ ends, mapping }: AnyMdpTask): Uint8Array {
  const flags = new Uint8Array(mapping.length);
  for (const s of ends) flags[s] = 1;
  return flags;
}

/**
 * The task with its ranks as states, and their numbers as what is seen. Nothing
 * follows an end, so its rows are blank.
 */
export function tableOf(task: AnyMdpTask): Table {
  const { states, actions, mapping, from, width, probability } = task;
  const n = mapping.length;
  const branches = width.reduce((a, b) => Math.max(a, b), 1);
  const table = blankTable(n, actions, branches, task.starts);
  const rewardDeviations = new Float64Array(table.next.length);
  const ends = endsOf(task);
  for (let row = 0, at = 0; row < n * actions; row++) {
    const first = row * branches;
    const noise = task.stateActionNoise[row]!;
    for (let b = 0; b < width[row]!; b++) {
      const [j, k] = [from[row]! + b, first + b];
      table.next[k] = j;
      table.probability[k] = probability[at++]!;
      // A step that pays its mean must pay what a row can say.
      table.reward[k] = roundReward(
        task.stateAction[row]! + task.arrival[j]!,
        task.rewardParts,
      );
      rewardDeviations[k] = noise + task.arrivalNoise[j]!;
      // With one state every step ends.
      table.terminal[k] = n === 1 ? 1 : ends[j]!;
    }
  }
  return {
    ...table,
    startProbability: Float64Array.from(task.startProbability),
    rewardDeviations,
    rewardParts: task.rewardParts,
    observation: Int32Array.from(mapping),
    observationCount: states,
  };
}

/** The task as bands, with its mean rewards. */
export function bandsOf(task: AnyMdpTask): BandedMdp {
  const { actions, mapping, from, width, probability } = task;
  const rows = mapping.length * actions;
  const offset = new Int32Array(rows);
  const reward = new Float64Array(rows);
  for (let row = 0, at = 0; row < rows; row++) {
    offset[row] = at;
    for (let b = 0; b < width[row]!; b++, at++) {
      const paid = task.stateAction[row]! + task.arrival[from[row]! + b]!;
      reward[row] = reward[row]! + probability[at]! * paid;
    }
  }
  return {
    states: mapping.length,
    actions,
    from: Int32Array.from(from),
    to: Int32Array.from(from, (low, row) => low + width[row]!),
    offset,
    probability: Float64Array.from(probability),
    reward,
  };
}
