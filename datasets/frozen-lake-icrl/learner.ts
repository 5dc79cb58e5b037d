/**
 * Parametric Frozen Lake, after Rentschler and Roberts 2025 (arXiv 2501.14176): a
 * transformer, trained on what learners did on many maps, is played on maps that
 * it never saw, with their ramp of forced exploration and without.
 *
 * The fast setting distils `frontier`, an algorithm that tries what it has not and
 * then goes where it was paid, from its own trials, from noisy ones and from ones
 * whose noise falls as the ramp's does, each step labelled by what it would do
 * there. The published one puts sets of episodes together into contexts, without a
 * word where the map changes, and trains by double DQN.
 *
 * @module
 */
import { type Learner, type Trained, trained, words } from "../learner.ts";
import type { Step } from "../steps.ts";

/** How large. */
export interface Size extends Trained {
  /** Maps that the algorithm plays alone, and as many others with each noise. */
  readonly tasks: number;
  /** Episodes of a trial. */
  readonly episodes: number;
  /** Flags of `compose`, and steps of a window. */
  readonly compose: string;
  readonly context: number;
  /** Flags of `update`. */
  readonly objective: string;
  /** Maps that are played. */
  readonly played: number;
}

/** Episodes over which the algorithm goes from uniform play to its own. */
const WARM_UP = "warm-up=4";

export const frozenLakeIcrl: Learner<Size> = {
  name: "frozen-lake-icrl",
  summary: "a learner of Frozen Lakes, played on maps it never saw",
  sizes: {
    fast: {
      tasks: 6000,
      episodes: 30,
      compose: "",
      context: 240,
      objective: "--objective dpt",
      updates: 3000,
      batch: 16,
      model: "--width 64 --layers 4 --heads 4 --rate 0.002",
      played: 200,
    },
    // 250 maps, sets of 20 to 40 episodes, successful ones 5 times as likely (high
    // quality), about 400 steps in 4,096 tokens; double DQN, rewards times 30, 950
    // updates of 10 windows.
    published: {
      tasks: 84,
      episodes: 200,
      compose: "--set 20..40 --order shuffled --success-odds 5 --steps 400",
      context: 400,
      objective:
        "--objective dqn --gamma 0.9 --polyak 0.1 --reward-scale 30 --relative",
      updates: 950,
      batch: 10,
      model:
        "--width 512 --layers 12 --heads 8 --rate 0.0003 --schedule constant --warm-up 10",
      played: 50,
    },
  },
  steps: (run): ReadonlyArray<Step> => {
    const { size, folder, seed, where } = run;
    const { tasks, episodes, compose, context, objective, played } = size;
    const play = (name: string, policy: string, offset: number) => [
      ...words(`generate --env frozen-lake --tasks ${tasks}`),
      ...words(`--episodes ${episodes} ${policy} --seed ${3 * seed + offset}`),
      ...words(`--jobs 2 --out ${folder}/${name} --overwrite`),
    ];
    const contexts = compose === ""
      ? []
      : words(`then compose ${compose} --seed ${seed}`);
    return [
      [
        "Trials of an algorithm that tries what it has not, then goes where it was paid:",
        play("own", `--policy frontier --policy-param ${WARM_UP}`, 0),
      ],
      [
        "And of the same with noise:",
        play(
          "noisy",
          "--policy epsilon-greedy --policy-param reference=frontier --policy-param epsilon=0.2",
          1,
        ),
      ],
      [
        "And with noise that falls:",
        play(
          "falling",
          "--policy noise-curriculum --policy-param reference=frontier --policy-param floor=0",
          2,
        ),
      ],
      [
        "What the algorithm would do at each step, all in one order, as arrays:",
        [
          ...words(`shuffle --seed ${seed} ${folder}/own ${folder}/noisy`),
          ...words(`${folder}/falling then label --reference frontier`),
          ...words(`--reference-param ties=first --reference-param ${WARM_UP}`),
          ...contexts,
          ...words(`then pack --context ${context} --label frontier`),
          // The largest lakes, whether or not one of them is among the trials.
          ...words(`--observations 25 --actions 4`),
          ...words(`--out ${folder}/packs --overwrite`),
        ],
      ],
      trained(run, objective),
      [
        "On maps that it never saw, with forced exploration first, and without:",
        [
          ...words(`evaluate ${folder}/run-${seed} --protocol in-distribution`),
          ...words(`--tasks ${played} --temperature 1 --seed ${seed}`),
          ...where,
          ...words(`--out ${folder}/played --overwrite`),
        ],
      ],
    ];
  },
  curve: (folders): ReadonlyArray<Step> => [
    [
      "Share of episodes that arrive, forced exploration falling over the first 20:",
      [
        "query",
        `with seeds as (
         select (episodes.episode + 4) // 5 * 5 as until,
           (policy_params ->> 'warm-up')::int > 0 as forced,
           policy_params ->> 'run' as run, avg(success::int) as mean
         from episodes join trials using (trial) group by all)
       select until as "up to", round(avg(mean) filter (forced), 3) as forced,
         round(avg(mean) filter (not forced), 3) as alone,
         string_agg(round(mean, 2)::varchar, ' ' order by run) filter (forced)
           as "forced, each seed",
         bar(avg(mean) filter (forced), 0, 1, 30) as curve
       from seeds group by all order by all`,
        ...folders.map((folder) => `${folder}/played`),
        ...words("--format table"),
      ],
    ],
  ],
};
