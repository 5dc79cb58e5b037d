/**
 * Gaussian bandits, by a Decision-Pretrained Transformer (Lee and others 2023,
 * arXiv 2306.14892): it learns to name the best arm at every step of contexts that
 * were played by other odds, and when it draws its arms by what it says, it does
 * as Thompson sampling does. Arms pay U(0, 1) on average, with normal noise of
 * standard deviation 0.3.
 *
 * @module
 */
import { type Learner, type Trained, trained, words } from "../learner.ts";
import type { Step } from "../steps.ts";

/** How large. */
export interface Size extends Trained {
  readonly arms: number;
  readonly horizon: number;
  /** Contexts played by odds that are drawn for each, as published. */
  readonly tasks: number;
  /** Contexts played by Thompson sampling, which are more like its own. */
  readonly thompson: number;
  /** Bandits that are played. */
  readonly played: number;
}

/** Seeds of what is played are apart from those of what is trained on. */
const APART = 1_000_000;

export const banditDpt: Learner<Size> = {
  name: "bandit-dpt",
  summary: "a learner of bandits, held against Thompson sampling and UCB1",
  sizes: {
    fast: {
      arms: 5,
      horizon: 100,
      tasks: 40_000,
      thompson: 20_000,
      updates: 3000,
      batch: 32,
      model: "--width 64 --layers 3 --heads 2 --rate 0.002",
      played: 1000,
    },
    // 100,000 bandits, of which four in five are trained on; 4 layers, 32 wide.
    published: {
      arms: 5,
      horizon: 500,
      tasks: 80_000,
      thompson: 0,
      updates: 125_000,
      batch: 64,
      model:
        "--width 32 --layers 4 --heads 1 --positions learned --rate 0.0001 --schedule constant --decay 0.0001",
      played: 200,
    },
  },
  steps: (run): ReadonlyArray<Step> => {
    const { size, folder, seed, where } = run;
    const { arms, horizon, tasks, thompson, played } = size;
    const play = (name: string, policy: string, n: number, seed: number) => [
      ...words(`generate --env bandit-gaussian --param arms=${arms}`),
      ...words(`--param horizon=${horizon} --tasks ${n} --policy ${policy}`),
      ...words(`--seed ${seed} --jobs 2 --out ${folder}/${name} --overwrite`),
    ];
    const contexts = [
      `${folder}/mixed`,
      ...thompson > 0 ? [`${folder}/sampled`] : [],
    ];
    return [
      ["Contexts, each by odds of its own:", [
        ...play("mixed", "dirichlet", tasks, 2 * seed),
      ]],
      ...thompson > 0
        ? [
          [
            "Others by Thompson sampling:",
            play("sampled", "thompson", thompson, 2 * seed + 1),
          ] as const,
        ]
        : [],
      ["The best arm as label at each step, all in one order, as arrays:", [
        ...words(`shuffle --seed ${seed}`),
        ...contexts,
        ...words(`then label then pack --context ${horizon} --label optimal`),
        ...words(`--out ${folder}/packs --overwrite`),
      ]],
      trained(run, "--objective dpt"),
      [
        "Thompson sampling, with the prior and the noise as they are, on others:",
        [
          ...play("held", "thompson", played, APART + seed),
        ],
      ],
      ["UCB1 on the same:", [
        ...play("ucb1", "ucb --policy-param form=ucb1", played, APART + seed),
      ]],
      ["The learner on the same:", [
        ...words(`evaluate ${folder}/run-${seed} ${folder}/held`),
        ...words(`--episodes 1 --seed ${seed}`),
        ...where,
        ...words(`--out ${folder}/played --overwrite`),
      ]],
      ["What the best arm of each would have paid:", [
        ...words(`label --baselines ${folder}/held ${folder}/ucb1`),
        ...words(`${folder}/played --out ${folder}/scored --overwrite`),
      ]],
    ];
  },
  curve: (folders): ReadonlyArray<Step> => [
    ["Regret of a trial, on average:", [
      "query",
      `with runs as (
         select case policy when 'onnx' then 'the learner' when 'ucb' then 'UCB1'
             else 'Thompson sampling' end as who,
           policy_params ->> 'run' as run, avg(baselines.optimal - return) as regret
         from trials group by all)
       select who, round(avg(regret), 2) as regret,
         string_agg(round(regret, 2)::varchar, ' ' order by run)
           filter (run is not null) as "each seed"
       from runs group by all order by regret`,
      ...folders.map((folder) => `${folder}/scored`),
      ...words("--format table"),
    ]],
  ],
};
