/**
 * The page of statistics of a set.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { TAGS } from "../../envs/policies/omnirl.ts";
import type { Scale } from "./scales.ts";
import type { Mean, Scores } from "./scores.ts";

function shown({ mean, se }: Mean): string {
  return `${mean.toFixed(2)} ± ${se.toFixed(2)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function grouped(count: number): string {
  return count.toLocaleString("en");
}

/** Rows of a table, one a behaviour. */
function scoreTable(
  all: ReadonlyArray<readonly [name: string, odds: string, Scores]>,
): string {
  const rows = all.map(([name, odds, { first, last, all, labelled }]) =>
    `| ${name} | ${odds} | ${shown(first)} | ${shown(last)} | ${shown(all)} | ${
      percent(labelled)
    } |`
  );
  return [
    "| behaviour | odds | first tenth | last tenth | all | action is label |",
    "|---|--:|--:|--:|--:|--:|",
    ...rows,
  ].join("\n");
}

function tagLine(tags: ReadonlyArray<number>): string {
  return tags.map((share, tag) => `${TAGS[tag]} ${percent(share)}`)
    .filter((text) => !text.endsWith(" 0.0 %")).join(", ");
}

/** What the manifest of a set says of it. */
interface Totals {
  readonly rows: number;
  readonly steps: number;
  readonly tasks: number;
  readonly draws: number;
  readonly bytes: number;
  readonly refusals?: { readonly [why: string]: number };
}

function refusalTable({ draws, tasks, refusals = {} }: Totals): string {
  const rows = [["accepted", tasks] as const, ...Object.entries(refusals)]
    .map(([why, n]) => `| ${why} | ${grouped(n)} | ${percent(n / draws)} |`);
  return ["| draw | times | share |", "|---|--:|--:|", ...rows].join("\n");
}

/** The statistics of the set in `folder`, as Markdown. */
export function statisticsPage(
  folder: string,
  { states, minStates, steps }: Scale,
  scores: ReadonlyArray<readonly [name: string, odds: string, Scores]>,
): string {
  const { totals } = JSON.parse(
    readFileSync(`${folder}/manifest.json`, "utf8"),
  ) as { readonly totals: Totals };
  const size = minStates ? `${minStates} to ${states}` : `${states}`;
  const mixture = scores.find(([name]) => name === "the mixture")![2];
  return `## Statistics

${grouped(totals.rows)} trials on ${
    grouped(totals.tasks)
  } tasks of ${size} states and 5 actions, ${grouped(totals.steps)} steps
(${grouped(steps)} or a little more each), ${
    (totals.bytes / totals.steps).toFixed(1)
  } bytes a step on disk.

### Tasks

${refusalTable(totals)}

### Behaviours

Scores of episodes, (return - R of uniform play) / (R of the oracle at a discount of
0.994 - R of uniform play), both R exact; means over tasks that are not in the data,
each weighing the same, with standard errors. An episode is of the first or the last
tenth by the step that it begins at.

${scoreTable(scores)}

Steps of the mixture by the source of the action: ${tagLine(mixture.tags)}.
`;
}
