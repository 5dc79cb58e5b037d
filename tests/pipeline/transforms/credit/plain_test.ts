/** The stage against a computation by definition, choice by choice. */
import * as fc from "fast-check";
import { allClose } from "../../../all_close.ts";
import { advantages, groups, holds } from "./groups.ts";
import { type Choices, deviation, mean, plain } from "./plain.ts";

const usual: Choices = {
  gamma: 0.9,
  "gamma-trial": 0.5,
  cross: "lamer",
  advantage: "dr-grpo",
  score: "episode",
  pool: "trials",
  norm: "mean",
  anchor: "observation",
  "step-weight": 1,
  "invalid-penalty": 0,
  penalise: "episode",
  reflections: "next",
  greedy: 0,
};

/** Of `choices` those flags that the estimator reads. */
function flagsOf(choices: Choices): { readonly [flag: string]: unknown } {
  const { advantage } = choices;
  const unread: { readonly [flag: string]: ReadonlyArray<string> } = {
    norm: ["gigpo", "pass-at-k"],
    anchor: ["gigpo"],
    "step-weight": ["gigpo"],
    penalise: ["gigpo"],
    greedy: ["remax"],
    pool: ["grpo", "dr-grpo", "rloo", "gigpo", "pass-at-k"],
  };
  return Object.fromEntries(
    Object.entries(choices).filter(([flag]) =>
      unread[flag]?.includes(advantage) ?? true
    ),
  );
}

const SCORES = ["return", "episode", "success", "orbit"];
const common = {
  score: fc.constantFrom(...SCORES),
  reflections: fc.constantFrom("next", "zero", "none"),
  "invalid-penalty": fc.constantFrom(0, 0.5, 3),
  cross: fc.constantFrom("lamer", "paper"),
  gamma: fc.constantFrom(0, 0.5, 0.95, 1),
  "gamma-trial": fc.constantFrom(0, 0.6, 1),
};
const pool = fc.constantFrom("rows", "episodes", "trials");
const norm = fc.constantFrom("mean", "mean-std");

/** What each estimator is drawn with beside what all of them read. */
const ESTIMATORS: {
  readonly [name: string]: { readonly [flag: string]: fc.Arbitrary<unknown> };
} = {
  "grpo": { pool },
  "dr-grpo": { pool },
  "rloo": { pool },
  "pass-at-k": { pool, norm },
  "remax": { greedy: fc.constantFrom(0, 1) },
  "gigpo": {
    pool,
    norm,
    anchor: fc.constantFrom("observation", "none"),
    "step-weight": fc.constantFrom(0, 1, 2.5),
    penalise: fc.constantFrom("episode", "step", "both"),
  },
};

for (const [advantage, own] of Object.entries(ESTIMATORS)) {
  Deno.test(`${advantage} is what its definition says, for any choices`, () => {
    const choices = fc.record({ ...common, ...own });
    const trials = advantage === "remax" ? 2 : 1;
    return holds(
      fc.tuple(groups({ trials }), choices),
      async ([drawn, chosen]) => {
        const made = { ...usual, ...chosen, advantage } as Choices;
        const found = await advantages(drawn.flat(), flagsOf(made) as never);
        allClose(found, drawn.flatMap((group) => plain(group, made)), 1e-7);
      },
      300,
    );
  });
}

/** Advantages less their mean over their deviation, some groups at a time. */
function whitened(
  parts: ReadonlyArray<ReadonlyArray<number>>,
  batch: number,
): Array<number> {
  const out: Array<number> = [];
  for (let i = 0; i < parts.length; i += batch) {
    const all = parts.slice(i, i + batch).flat();
    const variance = all.length < 2 ? 0 : deviation(all) ** 2;
    out.push(...all.map((x) => (x - mean(all)) / Math.sqrt(variance + 1e-8)));
  }
  return out;
}

for (
  const [advantage, unwhitened] of [
    ["reinforce++", "reinforce++"],
    ["reinforce++-baseline", "dr-grpo"],
    ["grpo", "grpo"],
    ["remax", "remax"],
  ] as const
) {
  Deno.test(`${advantage} is whitened over so many groups`, () =>
    holds(
      fc.tuple(groups(), fc.integer({ min: 1, max: 4 })),
      async ([drawn, batch]) => {
        const score = advantage === "reinforce++" ? "return" : "episode";
        const made = { ...usual, advantage: unwhitened, score } as Choices;
        const found = await advantages(drawn.flat(), {
          gamma: made.gamma,
          "gamma-trial": made["gamma-trial"],
          advantage,
          score,
          whiten: true,
          batch,
        });
        const parts = drawn.map((group) => plain(group, made));
        allClose(found, whitened(parts, batch), 1e-6);
      },
    ));
}

Deno.test("reflections that are no part of a group are none of a batch's moments", () =>
  holds(
    groups().map((drawn) => drawn.flat()),
    async (trials) => {
      const given = { advantage: "dr-grpo", whiten: true } as const;
      const without = trials.map((trial) => ({
        ...trial,
        episodes: trial.episodes.map(({ reflection: _, ...rest }) => rest),
      }));
      const credited = await advantages(without, given);
      const rows = trials.flatMap(({ episodes }) =>
        episodes.flatMap(({ rewards, reflection }) => [
          ...rewards.map(() => true),
          ...reflection ? [false] : [],
        ])
      );
      const found = await advantages(trials, { ...given, reflections: "none" });
      allClose(found.filter((_, i) => rows[i]), credited, 1e-9);
    },
  ));

Deno.test("--clip bounds advantages either way and leaves the others", () =>
  holds(
    fc.tuple(
      groups(),
      fc.constantFrom(0, 0.25, 1),
      fc.constantFrom("dr-grpo", "gigpo", "reinforce++", "gae", "vtrace"),
      fc.constantFrom("episode", "trial"),
    ),
    async ([drawn, clip, advantage, cut]) => {
      const temporal = advantage === "gae" || advantage === "vtrace";
      const given = { advantage, ...temporal && { cut } };
      const free = await advantages(drawn.flat(), given);
      const found = await advantages(drawn.flat(), { ...given, clip });
      allClose(found, free.map((a) => Math.min(clip, Math.max(-clip, a))), 0);
    },
  ));
