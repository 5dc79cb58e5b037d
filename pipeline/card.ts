/**
 * The card of a dataset: a README.md as the Hugging Face hub reads it, made of
 * the manifest alone.
 *
 * @module
 */
import type { Manifest } from "./manifest.ts";

const SIZES = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
const NAMES = ["1K", "10K", "100K", "1M", "10M", "100M", "1B"];

function sizeCategory(rows: number): string {
  const at = SIZES.findIndex((size) => rows < size);
  if (at < 0) return "n>1B";
  return at === 0 ? "n<1K" : `${NAMES[at - 1]}<n<${NAMES[at]}`;
}

/** Rows, steps and bytes of each split. */
function splitTotals({ shards }: Manifest) {
  const totals = new Map<
    string,
    { rows: number; steps: number; bytes: number }
  >();
  for (const { split, counts, bytes } of shards) {
    const sum = totals.get(split) ?? { rows: 0, steps: 0, bytes: 0 };
    sum.rows += counts.rows;
    sum.steps += counts.steps;
    sum.bytes += bytes;
    totals.set(split, sum);
  }
  return totals;
}

function table(manifest: Manifest): string {
  const lines = [...splitTotals(manifest)].map((
    [split, { rows, steps, bytes }],
  ) => `| ${split} | ${rows} | ${steps} | ${(bytes / 1e6).toFixed(1)} |`);
  return ["| split | trials | steps | MB |", "|---|--:|--:|--:|", ...lines]
    .join("\n");
}

function sampler({ totals, acceptance }: Manifest): string {
  if (acceptance === undefined || acceptance === 1) return "";
  const refusals = Object.entries(totals.refusals ?? {})
    .map(([why, n]) => `${why} ${n}`).join(", ");
  return `\nTasks were sampled by rejection: ${totals.tasks} of ${totals.draws} draws were
accepted (${(100 * acceptance).toFixed(2)} %); refused were: ${refusals}.\n`;
}

/** What contexts were put together from, where they were. */
function contexts({ totals }: Manifest): string {
  const { rows, steps, composed } = totals;
  if (composed === undefined || rows === 0) return "";
  const { sets, episodes, successes, joined, bursty } = composed;
  const each = (n: number) => (n / rows).toFixed(1);
  const share = (n: number, of: number) => `${(100 * n / of).toFixed(1)} %`;
  return `\nRows are contexts: on average ${each(sets)} sets, ${
    each(episodes)
  } episodes and ${each(steps)} steps.
${share(successes, episodes)} of episodes are successful; ${
    share(joined, rows)
  } of contexts join several tasks, ${
    share(bursty, rows)
  } are of one trial, set upon set.\n`;
}

function configs(manifest: Manifest): string {
  const splits = [...splitTotals(manifest).keys()].map((split) =>
    `  - split: ${split}\n    path: data/${split}-*`
  );
  return `configs:\n- config_name: default\n  data_files:\n${
    splits.join("\n")
  }`;
}

/** The card of a dataset that `command` makes. */
export function datasetCard(manifest: Manifest, command: string): string {
  const { totals, recipe } = manifest;
  return `---
tags:
- reinforcement-learning
- in-context-reinforcement-learning
- retrial
size_categories:
- ${sizeCategory(totals.rows)}
${configs(manifest)}
---
# Trials

Each row is one trial (\`${manifest.row}\`): the episodes that one policy plays on
one hidden task, in order.

${table(manifest)}
${sampler(manifest)}${contexts(manifest)}
Made by Retrial ${recipe.code.version} (commit ${
    recipe.code.commit.slice(0, 12)
  }):

    ${command}

\`retrial verify\` holds the files against \`manifest.json\`, \`retrial replay\` makes
them again and compares every byte.
`;
}
