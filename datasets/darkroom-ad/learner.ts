/**
 * Dark Room, by Algorithm Distillation (Laskin and others 2022, arXiv
 * 2210.14215): a transformer learns to go on as an algorithm that learns would,
 * from histories on some goals, and is played on the others.
 *
 * The algorithm is `frontier`: it looks for the goal where it has not been, then
 * goes there. Histories are its own, and noisier ones (Zisman and others 2024,
 * arXiv 2312.12275) whose every step is labelled by what the algorithm would do
 * there (as Ross and others 2011, arXiv 1011.0686, collect theirs), so that the
 * learner knows what to do after a step of its own that the algorithm would not
 * have taken.
 *
 * @module
 */
import { type Learner, type Trained, trained, words } from "../learner.ts";
import type { Step } from "../steps.ts";

/** How large. */
export interface Size extends Trained {
  /** Histories of the algorithm alone, and as many with each kind of noise. */
  readonly tasks: number;
  /** Episodes of a history, and of a context. */
  readonly episodes: number;
  /** Episodes over which the algorithm goes from uniform play to its own. */
  readonly warmUp: number;
  /** Episodes that are played. */
  readonly played: number;
}

const PARTS = "train=0.8,test=0.2";
const STEPS = 20;
/** The optimum, over all goals: 21 - 40 / 9 - 1 / 81. */
const BEST = 16.5432;

/** About a minute on two cores, for the demo. */
export const SMALL: Size = {
  tasks: 1500,
  episodes: 10,
  updates: 1200,
  batch: 16,
  model: "--width 64 --layers 3 --heads 2 --rate 0.003",
  warmUp: 1,
  played: 16,
};

export const darkroomAd: Learner<Size> = {
  name: "darkroom-ad",
  summary: "a learner of Dark Rooms, played on goals it never saw",
  sizes: {
    fast: {
      tasks: 2500,
      episodes: 12,
      updates: 2000,
      batch: 16,
      model: "--width 64 --layers 3 --heads 2 --rate 0.002",
      warmUp: 4,
      played: 20,
    },
    // 4 layers, 64 wide, 4 heads, three tokens a step, 2,000 histories.
    published: {
      tasks: 2000,
      episodes: 50,
      updates: 100_000,
      batch: 64,
      model:
        "--width 64 --layers 4 --heads 4 --tokens three --positions learned --rate 0.0003",
      warmUp: 4,
      played: 50,
    },
  },
  steps: (run): ReadonlyArray<Step> => {
    const { size, folder, seed, where } = run;
    const { tasks, episodes, warmUp, played } = size;
    const play = (name: string, policy: string, offset: number, n: number) => [
      ...words(`generate --env dark-room --tasks ${n} --episodes ${episodes}`),
      ...words(`${policy} --seed ${3 * seed + offset} --jobs 2`),
      ...words(`--out ${folder}/${name} --overwrite`),
    ];
    return [
      [
        "Histories of an algorithm that looks for the goal, then goes there:",
        play(
          "own",
          `--policy frontier --policy-param moves=given --policy-param warm-up=${warmUp}`,
          0,
          tasks,
        ),
      ],
      [
        "Others, half of whose steps are noise, so that they are all over the room:",
        play(
          "noisy",
          "--policy epsilon-greedy --policy-param reference=frontier --policy-param epsilon=0.5",
          1,
          tasks,
        ),
      ],
      [
        "And with noise that falls:",
        play(
          "falling",
          "--policy noise-curriculum --policy-param reference=frontier --policy-param floor=0",
          2,
          tasks,
        ),
      ],
      ["What the algorithm would do at each step of all of them:", [
        ...words(`label --reference frontier --reference-param moves=given`),
        ...words(`--reference-param ties=first`),
        ...words(`--reference-param warm-up=${warmUp}`),
        ...words(`${folder}/own ${folder}/noisy ${folder}/falling`),
        ...words(`--out ${folder}/rooms --overwrite`),
      ]],
      ["Four goals in five to train on, as arrays:", [
        ...words(`split --only train --parts ${PARTS} --seed ${seed}`),
        ...words(`${folder}/rooms then pack --context ${episodes * STEPS}`),
        ...words(`--label frontier --out ${folder}/packs --overwrite`),
      ]],
      ["The others to be played:", [
        ...words(`split --only test --parts ${PARTS} --seed ${seed}`),
        ...words(`${folder}/own --out ${folder}/held --overwrite`),
      ]],
      trained(run, "--objective dpt"),
      ["On goals that it never saw:", [
        ...words(`evaluate ${folder}/run-${seed} ${folder}/held`),
        ...words(`--episodes ${played} --seed ${seed}`),
        ...where,
        ...words(`--out ${folder}/played --overwrite`),
      ]],
    ];
  },
  curve: (folders): ReadonlyArray<Step> => [
    ["It gets better from episode to episode (the optimum is 16.54):", [
      "query",
      `with seeds as (
         select (episode + 1) // 2 * 2 as until, policy_params ->> 'run' as run,
           avg(episodes.return) as mean
         from episodes join trials using (trial) group by all)
       select until as "up to", round(avg(mean), 2) as mean,
         string_agg(round(mean, 1)::varchar, ' ' order by run) as "each seed",
         bar(avg(mean), 0, ${BEST}, 40) as curve
       from seeds group by all order by all`,
      ...folders.map((folder) => `${folder}/played`),
      ...words("--format table"),
    ]],
  ],
};
