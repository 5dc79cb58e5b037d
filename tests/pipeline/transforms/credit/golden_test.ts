/** Numbers of LaMer's and verl's programs, put through the stage as rows. */
import { equal, ok } from "node:assert/strict";
import type { Episode, Trial } from "../../../../pipeline/schema.ts";
import { allClose } from "../../../all_close.ts";
import { type GoldenCase, goldenCases } from "../../../golden.ts";
import { episode, trial } from "../../trials.ts";
import { advantages, advantagesOf, credited, returnsOf } from "./groups.ts";

interface GoldenRow {
  readonly traj: string;
  readonly phase: "play" | "reflect";
  readonly episode: number;
  readonly anchor: string;
  readonly episode_reward: number;
  readonly step_return: number;
  readonly invalid: boolean;
}

/** The episodes of a trial; all of an episode's reward comes with its last step. */
function episodesOf(rows: ReadonlyArray<GoldenRow>): ReadonlyArray<Episode> {
  const count = 1 + Math.max(...rows.map((row) => row.episode));
  return Array.from({ length: count }, (_, n) => {
    const steps = rows.filter((row) =>
      row.phase === "play" && row.episode === n
    );
    const reflection = rows.find((row) =>
      row.phase === "reflect" && row.episode === n + 1
    );
    const rewards = steps.map((row, t) =>
      t === steps.length - 1 ? row.episode_reward : 0
    );
    return episode(rewards, {
      observations: [...steps.map(({ anchor }) => anchor), "end"],
      valid: steps.map(({ invalid }) => !invalid),
      ...reflection &&
        { reflection: { text: "left", valid: !reflection.invalid } },
    });
  });
}

for (const { name, inputs, expected } of goldenCases("gigpo")) {
  Deno.test(`--preset lamer-code is GiGPO of ${name}`, async () => {
    const rows: ReadonlyArray<GoldenRow> = inputs.rows;
    const trials = [...new Set(rows.map(({ traj }) => traj))].map((traj, k) =>
      trial("task-1", k, {
        episodes: episodesOf(rows.filter((row) => row.traj === traj)),
      })
    );
    const given = { preset: "lamer-code" };
    const found = await credited(trials, given);
    allClose(found.flatMap(advantagesOf), expected.advantage, 1e-6);
    const returns = rows.map((row) => row.step_return);
    allClose(found.flatMap(returnsOf), returns, 1e-6);
    const episodic = await advantages(trials, { ...given, anchor: "none" });
    allClose(episodic, expected.episode_advantage, 1e-6);
  });
}

const ALGORITHMS: { readonly [name: string]: string } = {
  grpo_std: "grpo",
  "grpo_no_std (Dr.GRPO centring)": "dr-grpo",
  rloo: "rloo",
  reinforce_pp_baseline: "reinforce++-baseline",
};

/** Trials of one episode each; those of a group are put side by side. */
function scored({ inputs }: GoldenCase): ReadonlyArray<Trial> {
  const groups: ReadonlyArray<string> = inputs.group;
  const trials = groups.map((name, i) => {
    const length: number = inputs.response_lengths?.[i] ?? 1;
    const rewards = Array(length - 1).fill(0);
    return trial(name, i, {
      episodes: [episode([...rewards, inputs.scores[i]])],
    });
  });
  return trials.toSorted((a, b) => a.task.id < b.task.id ? -1 : 1);
}

for (const golden of goldenCases("group_advantages")) {
  const advantage = ALGORITHMS[golden.algorithm];
  Deno.test(`${golden.name}: ${golden.algorithm} is --advantage ${advantage}`, async () => {
    ok(advantage);
    const found = await credited(scored(golden), { advantage });
    equal(found.length, golden.expected_advantages.length);
    for (const { sample, episodes } of found) {
      const wanted = golden.expected_advantages[sample];
      for (const a of episodes[0]!.advantages!) allClose([a], [wanted], 1e-6);
    }
  });
}

for (const { name, inputs, expected } of goldenCases("cross_episode_returns")) {
  for (
    const [cross, returns, reflections] of [
      [
        "lamer",
        expected.returns_as_implemented,
        expected.reflection_returns_as_implemented,
      ],
      [
        "paper",
        expected.returns_as_in_paper,
        expected.reflection_returns_as_in_paper,
      ],
    ]
  ) {
    Deno.test(`${name}: returns of --cross ${cross}, beside advantages or without`, async () => {
      const rewards: ReadonlyArray<ReadonlyArray<number>> =
        inputs.episodes_rewards;
      const last = rewards.length - 1;
      const episodes = rewards.map((own, n) =>
        episode(own, n < last ? { reflection: { text: "left" } } : {})
      );
      for (const advantage of ["none", "gigpo"]) {
        const [row] = await credited([trial("a", 0, { episodes })], {
          gamma: inputs.gamma_step,
          "gamma-trial": inputs.gamma_traj,
          cross,
          advantage,
        });
        row!.episodes.forEach((played, n) => {
          allClose(played.returns!, returns[n], 1e-6);
          if (n === last) return;
          allClose([played.reflection!.return!], [reflections[n]], 1e-6);
        });
      }
    });
  }
}
