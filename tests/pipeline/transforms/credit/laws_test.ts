/** Laws of the stage `credit`, over drawn groups. */
import { deepEqual, equal } from "node:assert/strict";
import * as fc from "fast-check";
import type { Trial } from "../../../../pipeline/schema.ts";
import { credit } from "../../../../pipeline/transforms/credit.ts";
import { allClose } from "../../../all_close.ts";
import { apply, lines } from "../../trials.ts";
import {
  advantages,
  advantagesOf,
  credited,
  groups,
  holds,
  parse,
  returnsOf,
} from "./groups.ts";
import { within } from "./plain.ts";

const flat = (drawn: ReadonlyArray<ReadonlyArray<Trial>>) => drawn.flat();
const rows = groups().map(flat);

Deno.test("with gamma-trial 0 returns are those of each episode", () =>
  holds(
    fc.tuple(rows, fc.constantFrom("lamer", "paper", "differential")),
    async ([trials, cross]) => {
      const given = { gamma: 0.9, "gamma-trial": 0, cross, advantage: "gigpo" };
      for (const { episodes } of await credited(trials, given)) {
        const own = episodes.map(({ rewards }) =>
          rewards.map((_, t) => within(rewards, t, 0.9))
        );
        // The form `differential` still takes off the episode before.
        const before = (n: number) =>
          cross === "differential" && n > 0 ? own[n - 1]![0] ?? 0 : 0;
        episodes.forEach(({ returns }, n) =>
          allClose(returns!, own[n]!.map((g) => g - before(n)), 1e-9)
        );
      }
    },
  ));

async function sameForms(trials: ReadonlyArray<Trial>, gamma: number) {
  const given = { gamma, "gamma-trial": 0.6, advantage: "gigpo" };
  const lamer = await credited(trials, { ...given, cross: "lamer" });
  const paper = await credited(trials, { ...given, cross: "paper" });
  allClose(lamer.flatMap(returnsOf), paper.flatMap(returnsOf), 1e-9);
  allClose(lamer.flatMap(advantagesOf), paper.flatMap(advantagesOf), 1e-9);
}

Deno.test("lamer is paper where gamma is 1", () =>
  holds(rows, (trials) => sameForms(trials, 1)));

Deno.test("lamer is paper where each episode has one step", () =>
  holds(
    groups({ steps: 1, most: 1 }).map(flat),
    (trials) => sameForms(trials, 0.5),
  ));

Deno.test("RLOO is n / (n - 1) times Dr. GRPO", () =>
  holds(
    groups({ steps: 1, trials: 2 }),
    async (drawn) => {
      for (const pool of ["rows", "episodes", "trials"]) {
        const given = { pool, reflections: "none" };
        const rloo = await advantages(flat(drawn), {
          ...given,
          advantage: "rloo",
        });
        const wanted: Array<number> = [];
        for (const group of drawn) {
          const episodes = group.flatMap((trial) => trial.episodes);
          const steps = episodes.flatMap(({ rewards }) => rewards);
          const n = { rows: steps, episodes, trials: group }[pool]!.length;
          const own = await advantages(group, {
            ...given,
            advantage: "dr-grpo",
          });
          wanted.push(...own.map((a) => n / (n - 1) * a));
        }
        allClose(rloo, wanted, 1e-9);
      }
    },
  ));

Deno.test("GiGPO without step terms is its episode term", () =>
  holds(
    fc.tuple(
      rows,
      fc.constantFrom(["mean", "dr-grpo"], ["mean-std", "grpo"]),
      fc.constantFrom({ "step-weight": 0 }, { anchor: "none" }),
    ),
    async ([trials, [norm, episodic], without]) => {
      const given = { "invalid-penalty": 0.5, reflections: "zero" };
      const gigpo = { ...given, advantage: "gigpo", norm, ...without };
      const found = await advantages(trials, gigpo);
      const wanted = { ...given, advantage: episodic };
      allClose(found, await advantages(trials, wanted), 1e-9);
    },
  ));

Deno.test("constants added to all rewards are no centred advantage", () =>
  holds(
    fc.tuple(groups({ steps: 1, trials: 2 }), fc.constantFrom(-8, 0.5, 64)),
    async ([drawn, constant]) => {
      // One step an episode: so its score is moved by the constant.
      const moved = (by: number) =>
        flat(drawn).map((trial) => ({
          ...trial,
          episodes: trial.episodes.map((played) => ({
            ...played,
            rewards: played.rewards.map((r, t) => t === 0 ? r + by : r),
          })),
        }));
      for (const advantage of ["grpo", "dr-grpo", "rloo", "pass-at-k"]) {
        const given = { advantage, reflections: "none" };
        const steps = async (by: number) =>
          (await credited(moved(by), given)).flatMap(({ episodes }) =>
            episodes.flatMap((played) => played.advantages!)
          );
        allClose(await steps(constant), await steps(0), 1e-6);
      }
    },
  ));

const ESTIMATORS = [
  "grpo",
  "gigpo",
  "pass-at-k",
  "remax",
  "reinforce++",
  "gae",
  "vtrace",
];

/** Groups and their trials in some other order. */
const shuffled = groups().chain((drawn) => {
  const all = <A>(list: ReadonlyArray<A>) =>
    fc.shuffledSubarray([...list], {
      minLength: list.length,
      maxLength: list.length,
    });
  const within = fc.tuple(...drawn.map(all)).chain(all);
  return within.map((other) => [flat(drawn), flat(other)] as const);
});

for (const advantage of ESTIMATORS) {
  Deno.test(`the order of groups, and of their trials, is nothing to ${advantage}`, () =>
    holds(shuffled, async ([trials, other]) => {
      const byId = async (given: ReadonlyArray<Trial>) => {
        const found = await credited(given, { advantage });
        deepEqual(found.map(({ id }) => id), given.map(({ id }) => id));
        return found.toSorted((a, b) => a.id < b.id ? -1 : 1)
          .flatMap(advantagesOf);
      };
      allClose(await byId(other), await byId(trials), 1e-7);
    }, 50));
}

Deno.test("batches of one row each, or one of all, make the same bytes", () =>
  holds(
    fc.tuple(
      rows,
      fc.constantFrom(...ESTIMATORS),
      fc.constantFrom(false, true),
    ),
    async ([trials, advantage, whiten]) => {
      const given = { advantage, whiten, ...whiten && { batch: 2 } };
      const whole = await apply(credit, given, lines(trials));
      equal(await apply(credit, given, trials), whole);
    },
  ));

Deno.test("crediting twice is crediting once, after whatever was there", () =>
  holds(
    fc.tuple(
      rows,
      fc.constantFrom(...ESTIMATORS),
      fc.constantFrom(...ESTIMATORS),
    ),
    async ([trials, advantage, other]) => {
      const once = await apply(credit, { advantage }, lines(trials));
      equal(await apply(credit, { advantage }, once), once);
      const after = await apply(credit, { advantage: other }, lines(trials));
      equal(await apply(credit, { advantage }, after), once);
    },
  ));

Deno.test("--advantage none leaves advantages that are there", () =>
  holds(rows, async (trials) => {
    const before = await apply(credit, { advantage: "rloo" }, lines(trials));
    const after = await apply(credit, { gamma: 0.5 }, before);
    deepEqual(
      parse(after).flatMap(advantagesOf),
      parse(before).flatMap(advantagesOf),
    );
  }));
