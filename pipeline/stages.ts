/**
 * All stages, in the order in which help lists them.
 *
 * @module
 */
import type { Stage } from "./stage.ts";
import { explain } from "./keeping/explain.ts";
import { replay } from "./keeping/replay.ts";
import { verify } from "./keeping/verify.ts";
import { exportRows } from "./exports/export.ts";
import { generate } from "./sources/generate.ts";
import { importSteps } from "./sources/import.ts";
import { drawTask } from "./worlds.ts";
import { showWith } from "./sinks/show.ts";
import { pack } from "./sinks/pack.ts";
import { query } from "./sinks/query.ts";
import { compose } from "./transforms/compose.ts";
import { credit } from "./transforms/credit.ts";
import { filter } from "./transforms/filter.ts";
import { label } from "./transforms/label.ts";
import { mask } from "./transforms/mask.ts";
import { sample } from "./transforms/sample.ts";
import { shuffle } from "./transforms/shuffle.ts";
import { sort } from "./transforms/sort.ts";
import { evaluate } from "./training/evaluate.ts";
import { update } from "./training/update.ts";
import { split } from "./transforms/split.ts";

/** A stage of known options, as one of the table. */
function entry(stage: unknown): Stage {
  // Its option types are its own affair: the table hands it what its flags say.
  return stage as Stage;
}

export const stages: ReadonlyArray<Stage> = [
  generate,
  importSteps,
  credit,
  label,
  mask,
  filter,
  sample,
  shuffle,
  sort,
  split,
  compose,
  query,
  showWith(drawTask),
  exportRows,
  pack,
  update,
  evaluate,
  verify,
  replay,
  explain,
].map(entry);
