/**
 * A learner of Dark Rooms: trained on some goals, played on others (as Lee and
 * others 2023, arXiv 2306.14892, label their contexts, in histories whose noise
 * falls as those of AD-epsilon).
 *
 * @module
 */
import type { Step } from "../steps.ts";

/** How large, and how long. */
export interface Size {
  readonly folder: string;
  readonly tasks: number;
  readonly updates: number;
  readonly seed: number;
}

const PARTS = "train=0.8,test=0.2";

/** The commands, from worlds to the curve on held-out goals. */
export function stepsOf(
  { folder, tasks, updates, seed }: Size,
): ReadonlyArray<Step> {
  const words = (text: string) => text.split(" ");
  const [rooms, seen, held] = ["rooms", "seen", "held"].map((name) =>
    `${folder}/${name}`
  );
  return [
    ["Histories of Dark Rooms, from noise to the best, each step labelled:", [
      ...words(`generate --env dark-room --tasks ${tasks} --episodes 10`),
      ...words(`--policy noise-curriculum --seed ${seed} --jobs 2`),
      ...words(`then label --out ${rooms} --overwrite`),
    ]],
    ["Four goals in five to train on:", [
      ...words(
        `split --only train --parts ${PARTS} --out ${seen} --overwrite ${rooms}`,
      ),
    ]],
    ["The others to be played:", [
      ...words(
        `split --only test --parts ${PARTS} --out ${held} --overwrite ${rooms}`,
      ),
    ]],
    ["Contexts of ten episodes as arrays:", [
      ...words(
        `pack --context 200 --label optimal --out ${folder}/packs --overwrite ${seen}`,
      ),
    ]],
    ["A transformer of 154 thousand weights, trained here:", [
      ...words(
        `update ${folder}/packs --objective dpt --updates ${updates} --rate 0.002`,
      ),
      ...words(`--seed ${seed} --save 100 --out ${folder}/run --overwrite`),
    ]],
    ["On goals that it never saw, it gets better from episode to episode:", [
      ...words(
        `evaluate ${folder}/run ${held} --episodes 12 --seed ${seed} then query`,
      ),
      `select episode, round(avg(return), 2) as return, count(distinct world) as goals,
         bar(avg(return), 0, 16.54, 40) as "of the optimum, 16.54"
       from episodes group by all order by all`,
      ...words("--format table"),
    ]],
  ];
}

/** About a minute on two cores. */
export const LEARNER: ReadonlyArray<Step> = stepsOf({
  folder: "demo",
  tasks: 2000,
  updates: 500,
  seed: 7,
});
