import { deepEqual, equal, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { actionCount } from "../../envs/actions.ts";
import { randomAcrobot } from "../../envs/random_acrobot.ts";
import { randomCartpole } from "../../envs/random_cartpole.ts";
import { generator, integer } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";

const root = (path: string) =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Gymnasium's states from `state` on, five frames for each action. */
function theirs(
  name: string,
  state: ReadonlyArray<number>,
  actions: ReadonlyArray<number>,
): Array<Array<number>> | undefined {
  const program = `
import json, sys, gymnasium, numpy as np
name, state, actions = json.loads(sys.argv[1])
env = gymnasium.make(name).unwrapped
env.reset(seed=0)
env.state = np.array(state, dtype=np.float64)
out = []
for a in actions:
    for _ in range(5):
        env.step(a)
    out.append([float(x) for x in env.state])
print(json.dumps(out))`;
  try {
    const { success, stdout } = new Deno.Command(root(".venv/bin/python"), {
      args: ["-c", program, JSON.stringify([name, state, actions])],
      stderr: "null",
    }).outputSync();
    return success ? JSON.parse(new TextDecoder().decode(stdout)) : undefined;
  } catch {
    return undefined;
  }
}

const ours = [
  ["CartPole-v1", randomCartpole, {
    gravity: 9.8,
    cartMass: 1,
    poleMass: 0.1,
    halfLength: 0.5,
    horizon: 200,
  }, [0.01, -0.02, 0.03, 0.04]],
  ["Acrobot-v1", randomAcrobot, {
    lengths: [1, 1],
    masses: [1, 1],
    centres: [0.5, 0.5],
    gravity: 9.8,
    horizon: 100,
  }, [0.05, -0.08, 0.02, 0.09]],
] as const;

const installed = theirs("CartPole-v1", [0, 0, 0, 0], [0]) !== undefined;

for (const [name, env, task, start] of ours) {
  Deno.test({
    name: installed
      ? `${env.name} of the usual make moves as Gymnasium's ${name}`
      : `${env.name} against Gymnasium: no .venv/bin/python that has gymnasium`,
    ignore: !installed,
    fn() {
      const random = generator(rootKey(1));
      const actions: Array<number> = [];
      const states: Array<ReadonlyArray<number>> = [];
      let state: unknown = start;
      for (let i = 0; i < 40; i++) {
        const action = integer(random, actionCount(env.actions(task)));
        const moved = env.step(task, state, action, random);
        if (moved.terminated) break;
        actions.push(action);
        state = moved.state;
        states.push(moved.state as ReadonlyArray<number>);
      }
      ok(actions.length > 0);
      theirs(name, start, actions)!.forEach((wanted, i) =>
        wanted.forEach((x, j) => {
          const apart = Math.abs(x - states[i]![j]!);
          ok(apart < 1e-6, `${states[i]![j]} is not ${x} (${i}, ${j})`);
        })
      );
    },
  });
}

Deno.test("random-cartpole pays for each frame stood, and ends when it falls", () => {
  const random = generator(rootKey(2));
  const task = randomCartpole.sampleTask(random, { horizon: 200 });
  let { state } = randomCartpole.reset(task, random);
  let moved = randomCartpole.step(task, state, 1, random);
  let paid = moved.reward;
  equal(paid, 5);
  while (!moved.terminated) {
    state = moved.state;
    moved = randomCartpole.step(task, state, 1, random);
    paid += moved.reward;
  }
  ok(moved.reward <= 5 && paid < 200);
  equal("success" in moved, false);
});

Deno.test("random-acrobot costs until its tip is up, which is success", () => {
  const random = generator(rootKey(3));
  const task = randomAcrobot.sampleTask(random, { horizon: 100 });
  const { state } = randomAcrobot.reset(task, random);
  equal(randomAcrobot.step(task, state, 1, random).reward, -5);
  // Upright already, and not moving: up after the first frame.
  const up = randomAcrobot.step(task, [Math.PI, 0, 0, 0], 1, random);
  deepEqual([up.reward, up.terminated, up.success], [0, true, true]);
});
