import { deepEqual, equal, ok } from "node:assert/strict";
import { tabularMdp } from "../../envs/tabular_mdp.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { betaCdf, follows, near, normalCdf } from "../laws.ts";
import { draw, moments } from "./play.ts";

interface Mdp {
  readonly transitions: ReadonlyArray<number>;
  readonly means: ReadonlyArray<number>;
}

const random = generator(rootKey(1));
const drawn = Array.from({ length: 40 }, () => draw(tabularMdp, random).task);

Deno.test("tabular-mdp: transitions are Dirichlet(1)", () => {
  // Of each row one entry, since entries of a row depend on each other.
  const first = drawn.flatMap((task) =>
    (task as Mdp).transitions.filter((_, i) => i % 10 === 3)
  );
  equal(first.length, 2000);
  follows(first, (x) => betaCdf(1, 9, x));
});

Deno.test("tabular-mdp: mean rewards are N(1, 1)", () => {
  const means = drawn.flatMap((task) => (task as Mdp).means);
  follows(means, (x) => normalCdf(x - 1));
});

Deno.test("tabular-mdp: rewards have noise of their own deviation", () => {
  const { task } = draw(tabularMdp, random, { "reward-sd": 2 });
  const rewards = Array.from(
    { length: 20_000 },
    () => tabularMdp.step(task, 4, 2, random).reward,
  );
  const { mean, se } = moments(rewards);
  near({ mean, se }, (task as Mdp).means[4 * 5 + 2]!);
  const sd = se * Math.sqrt(rewards.length);
  near({ mean: sd, se: 2 / Math.sqrt(2 * rewards.length) }, 2);
  const { task: firm } = draw(tabularMdp, random, { "reward-sd": 0 });
  equal(tabularMdp.step(firm, 0, 0, random).reward, (firm as Mdp).means[0]);
});

Deno.test("tabular-mdp: episodes start in state 0 and are not ended", () => {
  const task = drawn[0]!;
  deepEqual(tabularMdp.reset(task, random), { state: 0, observation: 0 });
  const moved = tabularMdp.step(task, 0, 0, random);
  ok(!moved.terminated && !("success" in moved));
});
