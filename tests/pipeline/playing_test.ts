/** A player says how far it is. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { frozenLake } from "../../envs/frozen_lake.ts";
import { resolveParams } from "../../envs/params.ts";
import { drawTask } from "../../envs/rollout.ts";
import { openPlayer, type Reached } from "../../pipeline/playing/player.ts";
import { reachedLine } from "../../pipeline/playing/ticker.ts";
import { modelOf, randomWeights } from "./models.ts";

Deno.test("a player tells of trials that are over, and of the slowest", async () => {
  const config = modelOf(25, 4);
  const player = await openPlayer(config, randomWeights(config), {
    batch: 5,
    temperature: 1,
    device: "cpu",
    threads: 1,
  });
  const params = resolveParams(frozenLake.params, {});
  const seat = (seed: string, episodes: number) => {
    const { task } = drawTask(frozenLake, params, seed);
    return { env: frozenLake, task, seed, episodes };
  };
  const sittings = [1, 2, 3, 4].map((i) => ({
    seats: [seat(`${i}`, i), seat(`${i}0`, 1)],
  }));
  const told: Array<Reached> = [];
  const records = await player.play(sittings, (reached) => told.push(reached));
  await player.release();
  deepEqual(told.at(-1), { trials: 4, episodes: 14, slowest: 2 });
  for (const name of ["trials", "episodes", "slowest"] as const) {
    const column = told.map((reached) => reached[name]);
    deepEqual(column, column.toSorted((a, b) => a - b));
  }
  ok(told.some(({ trials }) => trials > 0 && trials < 4));
  const steps = records.map((own) =>
    own.reduce((sum, { ends, episodes }) => sum + ends[episodes - 1]!, 0)
  );
  equal(told.length, Math.max(...steps));
});

Deno.test("the time that is left goes by the slowest, and by the batches to come", () => {
  const all = { trials: 100, episodes: 20 };
  // Half of the batches is over, of the other half a half.
  equal(
    reachedLine({ trials: 60, episodes: 1700, slowest: 10 }, all, 50, 30, 50),
    "60 of 100 trials, 1700 of 2000 episodes, about 10 s left",
  );
  equal(
    reachedLine({ trials: 0, episodes: 7, slowest: 0 }, all, 100, 30),
    "0 of 100 trials, 7 of 2000 episodes",
  );
  equal(
    reachedLine(
      { trials: 3, episodes: 7, slowest: 1 },
      { trials: 9, episodes: Infinity },
      9,
      1,
    ),
    "3 of 9 trials, 7 episodes",
  );
});
