import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import {
  languageWeights,
  type NgramTask,
  type PatternTask,
  randomLanguage,
} from "../../envs/random_language.ts";
import { optimalPolicy } from "../../envs/policies/optimal.ts";
import { randomPolicy } from "../../envs/policies/random.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { matches, near } from "../laws.ts";
import { draw, type Given, moments, play, sum } from "./play.ts";

function taskOf<Task>(given: Given, seed: number): Task {
  // What the environment drew for these parameters is of that kind.
  return draw(randomLanguage, generator(rootKey(seed)), given).task as Task;
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/** The softmax after `context`, by its definition from the weights as drawn. */
function lawOf(task: NgramTask, context: ReadonlyArray<number>): Array<number> {
  const { embeddings, inward, bias, outward } = languageWeights(task);
  const { vocabulary, order, hidden, temperature } = task;
  const width = embeddings.length / (vocabulary + 1);
  const input = context.flatMap((token) => [
    ...embeddings.subarray(token * width, (token + 1) * width),
  ]);
  equal(input.length, order * width);
  const inner = range(hidden).map((i) =>
    Math.tanh(
      bias[i]! + sum(input.map((x, k) => x * inward[i * input.length + k]!)),
    )
  );
  const powers = range(vocabulary).map((v) =>
    Math.exp(
      sum(inner.map((x, i) => x * outward[v * hidden + i]!)) / temperature,
    )
  );
  return powers.map((power) => power / sum(powers));
}

Deno.test("random-language (ngram) says tokens by the softmax of its network", () => {
  const task = taskOf<NgramTask>({ vocabulary: 12, temperature: 0.5 }, 1);
  const random = generator(rootKey(2));
  for (const context of [[12, 12, 3], [7, 0, 11]]) {
    const counts = new Float64Array(12);
    for (let i = 0; i < 20_000; i++) {
      const moved = randomLanguage.step(task, context, 0, random);
      const token = moved.observation as number;
      counts[token] = counts[token]! + 1;
      deepEqual(moved.state, [...context.slice(1), token]);
    }
    const law = lawOf(task, context);
    matches(counts, law.map((p) => p * 20_000));
    const best = randomLanguage.optimal!(task)(context, 0) as number;
    equal(law[best], Math.max(...law));
  }
});

Deno.test("random-language (ngram) pays the best guesser what is most likely", () => {
  for (const seed of [3, 4]) {
    const given = { vocabulary: 16, length: 100 };
    const task = taskOf<NgramTask>(given, seed);
    const played = play(randomLanguage, task, optimalPolicy, {}, 100, seed);
    const gains = played.flatMap(({ rewards, states }) =>
      rewards.map((reward, t) =>
        reward - Math.max(...lawOf(task, states[t] as Array<number>))
      )
    );
    near(moments(gains), 0);
  }
});

Deno.test("random-language pays one who guesses blindly 1 in the vocabulary", () => {
  for (const kind of ["ngram", "pattern"]) {
    const task = taskOf({ kind, vocabulary: 10 }, 5);
    const played = play(randomLanguage, task, randomPolicy, {}, 100, 6);
    near(moments(played.flatMap(({ rewards }) => rewards)), 1 / 10);
  }
});

Deno.test("random-language (pattern) repeats its phrase, misread as often as it says", () => {
  const noise = 0.3;
  const task = taskOf<PatternTask>(
    { kind: "pattern", vocabulary: 5, phrase: 7, noise },
    7,
  );
  const random = generator(rootKey(8));
  const starts = new Float64Array(7);
  const said = Array.from({ length: 5 }, () => new Float64Array(5));
  for (let i = 0; i < 2000; i++) {
    let { state, observation } = randomLanguage.reset(task, random);
    starts[state as number] = starts[state as number]! + 1;
    for (let t = 0; t < 10; t++) {
      const place = state as number;
      const counts = said[task.phrase[place]!]!;
      counts[observation as number] = counts[observation as number]! + 1;
      const moved = randomLanguage.step(task, state, 0, random);
      equal(moved.state, (place + 1) % 7);
      ({ state, observation } = moved);
    }
  }
  matches(starts, new Float64Array(7).fill(2000 / 7));
  said.forEach((counts, token) => {
    const n = sum(counts);
    if (n === 0) return;
    const law = counts.map((_, v) =>
      n * (noise / 5 + (v === token ? 1 - noise : 0))
    );
    matches(counts, law);
  });
});

Deno.test("random-language (pattern) pays the best guesser what noise leaves", () => {
  const given = { kind: "pattern", vocabulary: 5, noise: 0.3 };
  const task = taskOf<PatternTask>(given, 9);
  const played = play(randomLanguage, task, optimalPolicy, {}, 40, 10);
  near(moments(played.flatMap(({ rewards }) => rewards)), 0.7 + 0.3 / 5);
});

Deno.test("random-language draws a language for each seed", () => {
  for (const kind of ["ngram", "pattern"]) {
    deepEqual(taskOf({ kind }, 11), taskOf({ kind }, 11));
    notDeepEqual(taskOf({ kind }, 11), taskOf({ kind }, 12));
  }
  const task = taskOf<PatternTask>({ kind: "pattern", vocabulary: 4 }, 13);
  equal(task.phrase.length, 16);
  ok(task.phrase.every((token) => token >= 0 && token < 4));
});

Deno.test("random-language takes a phrase that starts elsewhere for the same", () => {
  const world = (phrase: Array<number>) =>
    randomLanguage.world!({
      kind: "pattern",
      vocabulary: 12,
      phrase,
      noise: 0,
      length: 9,
    });
  deepEqual(world([1, 11, 2]), world([11, 2, 1]));
  deepEqual(world([1, 11]), world([11, 1, 11, 1]));
  notDeepEqual(world([1, 11, 2]), world([1, 2, 11]));
  notDeepEqual(world([1, 1, 2]), world([1, 2, 2]));
});
