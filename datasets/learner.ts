/**
 * Recipes of learners: from worlds to a curve on tasks that were never trained
 * on, for one seed or several.
 *
 * @module
 */
import { UsageError } from "../pipeline/errors.ts";
import type { Flags } from "../pipeline/flags.ts";
import { script } from "./script.ts";
import { runSteps, say, type Step } from "./steps.ts";

/** What the steps of one seed are made for. */
export interface Run<Size> {
  readonly size: Size;
  /** Folder of this seed alone. */
  readonly folder: string;
  readonly seed: number;
  /** Flags of `update` and `evaluate`: where the model runs. */
  readonly where: ReadonlyArray<string>;
}

/** A recipe; its steps leave trials on unseen tasks in `FOLDER/played`. */
export interface Learner<Size> {
  /** Of the task that runs it. */
  readonly name: string;
  readonly summary: string;
  /** How large: for two cores, and as it was published. */
  readonly sizes: { readonly fast: Size; readonly published: Size };
  readonly steps: (run: Run<Size>) => ReadonlyArray<Step>;
  /** The last step: how what was played went, in the folders of all seeds. */
  readonly curve: (
    folders: ReadonlyArray<string>,
    run: Run<Size>,
  ) => ReadonlyArray<Step>;
}

/** The words of a command. */
export function words(text: string): ReadonlyArray<string> {
  return text.split(" ").filter(Boolean);
}

/** How a model is trained. */
export interface Trained {
  readonly updates: number;
  /** Windows of an update. */
  readonly batch: number;
  /** Flags of the model, its rate and schedule. */
  readonly model: string;
}

/** Trains on `FOLDER/packs`, into `FOLDER/run-SEED`. */
export function trained<Size extends Trained>(
  { size, folder, seed, where }: Run<Size>,
  objective: string,
): Step {
  const { updates, batch, model } = size;
  return ["A transformer, trained here:", [
    ...words(`update ${folder}/packs ${objective} --updates ${updates}`),
    ...words(`--batch ${batch} ${model} --seed ${seed}`),
    ...where,
    ...words(`--out ${folder}/run-${seed} --overwrite`),
  ]];
}

const flags = {
  "setting": {
    type: "text",
    default: "fast",
    choices: ["fast", "published"],
    summary: "fast, for two cores, or as published, for a GPU",
  },
  "seeds": { type: "text", default: "1", summary: "seeds, with commas" },
  "device": { type: "text", summary: "where the model runs; cpu" },
  "threads": { type: "count", min: 1, summary: "threads of an operator" },
  "out": { type: "text", summary: "folder; demo/ and the name" },
} as const satisfies Flags;

function seedsOf(list: string): ReadonlyArray<number> {
  return list.split(",").map((word) => {
    if (/^\d{1,9}$/.test(word)) return Number(word);
    throw new UsageError({
      message:
        `Cannot set --seeds to "${list}": integers, with commas, expected`,
    });
  });
}

/** Runs a recipe as the script that `deno task NAME` is. */
export function runLearner<Size>(learner: Learner<Size>): Promise<void> {
  const { name, summary, sizes, steps, curve } = learner;
  return script(name, summary, flags, async (options) => {
    const { device, threads, out = `demo/${name}` } = options;
    const runs = seedsOf(options.seeds).map((seed): Run<Size> => ({
      // The flag has these choices alone.
      size: sizes[options.setting as keyof typeof sizes],
      folder: `${out}/${seed}`,
      seed,
      where: [
        ...(device === undefined ? [] : ["--device", device]),
        ...(threads === undefined ? [] : ["--threads", String(threads)]),
      ],
    }));
    const took: Array<string> = [];
    for (const run of runs) {
      const started = performance.now();
      await runSteps(steps(run));
      const seconds = (performance.now() - started) / 1000;
      took.push(`seed ${run.seed} in ${seconds.toFixed(0)} s`);
    }
    await runSteps(curve(runs.map(({ folder }) => folder), runs[0]!));
    say(`\n${took.join(", ")}\n`);
    return 0;
  });
}
