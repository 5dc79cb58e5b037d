/**
 * A made-up language as a world: guess the token that comes next.
 *
 * @module
 */
import { normal } from "../kernels/random/distributions.ts";
import {
  bits,
  type Generator,
  generator,
  integer,
  uniform,
} from "../kernels/random/generator.ts";
import type { Key } from "../kernels/random/key.ts";
import { defineEnvironment, type Transition } from "./env.ts";
import { num, type Params } from "./params.ts";

/** A network that says how likely each token is after the last `order`. */
export interface NgramTask {
  readonly kind: "ngram";
  readonly vocabulary: number;
  readonly order: number;
  readonly hidden: number;
  readonly temperature: number;
  /** The stream that the weights are drawn from: they are many, this is short. */
  readonly weights: Key;
  readonly length: number;
}

/** A phrase said again and again, now and then misread. */
export interface PatternTask {
  readonly kind: "pattern";
  readonly vocabulary: number;
  readonly phrase: ReadonlyArray<number>;
  readonly noise: number;
  readonly length: number;
}

export type LanguageTask = NgramTask | PatternTask;

/** The last `order` tokens, the newest last, or a place in the phrase. */
export type LanguageState = ReadonlyArray<number> | number;

/** Numbers that stand for a token in the network. */
const EMBEDDING = 16;

/** The network of an {@linkcode NgramTask}, as it is drawn. */
export interface LanguageWeights {
  /** [vocabulary + 1, EMBEDDING]: the last is what stands before a passage. */
  readonly embeddings: Float64Array;
  /** [hidden, order, EMBEDDING] */
  readonly inward: Float64Array;
  /** [hidden] */
  readonly bias: Float64Array;
  /** [vocabulary, hidden] */
  readonly outward: Float64Array;
}

function normals(random: Generator, n: number, scale: number): Float64Array {
  const values = new Float64Array(n);
  for (let i = 0; i < n; i++) values[i] = scale * normal(random);
  return values;
}

/**
 * The weights of a task: embeddings and biases N(0, 1), each layer's weights
 * N(0, 1) over the square root of what it adds up.
 */
export function languageWeights(task: NgramTask): LanguageWeights {
  const { vocabulary, order, hidden } = task;
  const random = generator(task.weights);
  const fan = order * EMBEDDING;
  return {
    embeddings: normals(random, (vocabulary + 1) * EMBEDDING, 1),
    inward: normals(random, hidden * fan, 1 / Math.sqrt(fan)),
    bias: normals(random, hidden, 1),
    outward: normals(random, vocabulary * hidden, 1 / Math.sqrt(hidden)),
  };
}

/** The network with its first layer multiplied out, and room to run it. */
interface Network {
  /** [order, vocabulary + 1, hidden]: what a token in a place adds. */
  readonly added: Float64Array;
  readonly bias: Float64Array;
  readonly outward: Float64Array;
  readonly inner: Float64Array;
  readonly law: Float64Array;
}

/** Entry `i` of the first layer for `token` in `place`. */
function addedBy(
  { embeddings, inward }: LanguageWeights,
  order: number,
  [place, token, i]: readonly [number, number, number],
): number {
  let sum = 0;
  for (let e = 0; e < EMBEDDING; e++) {
    sum += inward[(i * order + place) * EMBEDDING + e]! *
      embeddings[token * EMBEDDING + e]!;
  }
  return sum;
}

function networkOf(task: NgramTask): Network {
  const { vocabulary, order, hidden } = task;
  const weights = languageWeights(task);
  const added = new Float64Array(order * (vocabulary + 1) * hidden);
  let at = 0;
  for (let place = 0; place < order; place++) {
    for (let token = 0; token <= vocabulary; token++) {
      for (let i = 0; i < hidden; i++) {
        added[at++] = addedBy(weights, order, [place, token, i]);
      }
    }
  }
  return {
    added,
    bias: weights.bias,
    outward: weights.outward,
    inner: new Float64Array(hidden),
    law: new Float64Array(vocabulary),
  };
}

const networks = new WeakMap<NgramTask, Network>();

function look(task: NgramTask): Network {
  let network = networks.get(task);
  if (network === undefined) {
    network = networkOf(task);
    networks.set(task, network);
  }
  return network;
}

/** Makes of logits how likely each is, in place. */
function softmax(logits: Float64Array, temperature: number): void {
  let [most, sum] = [-Infinity, 0];
  for (let v = 0; v < logits.length; v++) most = Math.max(most, logits[v]!);
  for (let v = 0; v < logits.length; v++) {
    sum += logits[v] = Math.exp((logits[v]! - most) / temperature);
  }
  for (let v = 0; v < logits.length; v++) logits[v] = logits[v]! / sum;
}

/** How likely each token is after `context`, to be read before the next call. */
function lawAfter(
  task: NgramTask,
  context: ReadonlyArray<number>,
): Float64Array {
  const { vocabulary, order, hidden } = task;
  const { added, bias, outward, inner, law } = look(task);
  inner.set(bias);
  for (let place = 0; place < order; place++) {
    const first = (place * (vocabulary + 1) + context[place]!) * hidden;
    for (let i = 0; i < hidden; i++) inner[i] = inner[i]! + added[first + i]!;
  }
  for (let i = 0; i < hidden; i++) inner[i] = Math.tanh(inner[i]!);
  for (let v = 0, at = 0; v < vocabulary; v++) {
    let sum = 0;
    for (let i = 0; i < hidden; i++) sum += outward[at++]! * inner[i]!;
    law[v] = sum;
  }
  softmax(law, task.temperature);
  return law;
}

function drawFrom(law: Float64Array, random: Generator): number {
  let left = uniform(random);
  for (let v = 0; v < law.length; v++) {
    left -= law[v]!;
    if (left < 0) return v;
  }
  // Rounding may leave a little over.
  return law.length - 1;
}

function likeliest(law: Float64Array): number {
  let best = 0;
  for (let v = 1; v < law.length; v++) if (law[v]! > law[best]!) best = v;
  return best;
}

/** What is said at a place of the phrase. */
function saidAt(task: PatternTask, place: number, random: Generator): number {
  return uniform(random) < task.noise
    ? integer(random, task.vocabulary)
    : task.phrase[place]!;
}

function placeAfter({ phrase }: PatternTask, place: number): number {
  return (place + 1) % phrase.length;
}

function step(
  task: LanguageTask,
  from: LanguageState,
  guess: number,
  random: Generator,
): Transition<LanguageState> {
  let [state, token] = [from, 0];
  if (task.kind === "ngram") {
    // Tasks of a kind have states of that kind.
    const context = from as ReadonlyArray<number>;
    token = drawFrom(lawAfter(task, context), random);
    state = [...context.slice(1), token];
  } else {
    state = placeAfter(task, from as number);
    token = saidAt(task, state, random);
  }
  const reward = guess === token ? 1 : 0;
  return { state, observation: token, reward, terminated: false };
}

function sampleTask(random: Generator, params: Params): LanguageTask {
  const vocabulary = num(params, "vocabulary");
  const length = num(params, "length");
  if (params.kind === "pattern") {
    const phrase = Array.from(
      { length: num(params, "phrase") },
      () => integer(random, vocabulary),
    );
    const noise = num(params, "noise");
    return { kind: "pattern", vocabulary, phrase, noise, length };
  }
  const word = () => bits(random) >>> 0;
  return {
    kind: "ngram",
    vocabulary,
    order: num(params, "order"),
    hidden: num(params, "hidden"),
    temperature: num(params, "temperature"),
    weights: [word(), word(), word(), word()],
    length,
  };
}

/** A phrase has no first token: of its rotations, the least; said once. */
function leastPhrase(phrase: ReadonlyArray<number>): ReadonlyArray<number> {
  const rotations = phrase.map((_, i) => [
    ...phrase.slice(i),
    ...phrase.slice(0, i),
  ]);
  const texts = rotations.map(String);
  const period = texts.indexOf(texts[0]!, 1);
  const least = texts.reduce((a, b) => a < b ? a : b);
  return rotations[texts.indexOf(least)]!.slice(
    0,
    period < 0 ? phrase.length : period,
  );
}

/**
 * Random languages (the synthetic language beside AnyMDP, Wang and others 2025,
 * arXiv 2502.02869). The agent sees a token and answers with its guess of the
 * next, which is then shown; a right guess pays 1. What is said does not depend
 * on the guesses; an episode is a passage of `length` tokens after its first.
 * Nothing counts as solved. `kind` says what the language is:
 *
 * - `ngram`: the embeddings of the last `order` tokens go through a layer of
 *   `hidden` tanh units to the logits of the next token, over `temperature`.
 *   A passage starts with a uniform token, and before that stands a mark of its
 *   own.
 * - `pattern`: a phrase of `phrase` uniform tokens over and over, from a uniform
 *   place of it on, each token replaced with probability `noise` by a uniform
 *   one, which may be itself.
 *
 * The source gives no sizes and no scales: those here are ours, weights as
 * {@linkcode languageWeights} says. By default the best guess is
 * right about two times in three.
 *
 * @example The best guess at what a phrase says next
 * ```ts
 * import { equal } from "node:assert/strict";
 *
 * const task = { kind: "pattern", vocabulary: 8, phrase: [5, 2, 7], noise: 0.1, length: 9 };
 * equal(randomLanguage.optimal!(task)(1, 0), 7);
 * ```
 */
export const randomLanguage = defineEnvironment<LanguageTask, LanguageState>({
  name: "random-language",
  version: 1,
  summary: "Guess the next token of a random language",
  params: {
    kind: {
      default: "ngram",
      choices: ["ngram", "pattern"],
      summary: "A random network over the last tokens, or a noisy phrase",
    },
    vocabulary: {
      default: 32,
      integer: true,
      min: 2,
      max: 1024,
      summary: "Number of tokens",
    },
    order: {
      default: 3,
      integer: true,
      min: 1,
      max: 8,
      summary: "Tokens that the next depends on (ngram)",
    },
    hidden: {
      default: 32,
      integer: true,
      min: 1,
      max: 256,
      summary: "Units of the network (ngram)",
    },
    temperature: {
      default: 0.2,
      min: 0.001,
      max: 1000,
      summary: "What logits are divided by (ngram)",
    },
    phrase: {
      default: 16,
      integer: true,
      min: 1,
      max: 512,
      summary: "Tokens of the phrase (pattern)",
    },
    noise: {
      default: 0.1,
      min: 0,
      max: 1,
      summary: "Probability that a token is replaced (pattern)",
    },
    length: {
      default: 256,
      integer: true,
      min: 1,
      max: 100_000,
      summary: "Guesses of an episode",
    },
  },
  label: (params) =>
    params.kind === "pattern"
      ? `pattern-${params.vocabulary}-${params.phrase}`
      : `ngram-${params.vocabulary}-${params.order}`,
  sampleTask,
  observations: ({ vocabulary }) => ({ kind: "discrete", n: vocabulary }),
  actions: ({ vocabulary }) => vocabulary,
  horizon: ({ length }) => length,
  reset: (task, random) => {
    if (task.kind === "ngram") {
      const observation = integer(random, task.vocabulary);
      const state = new Array<number>(task.order).fill(task.vocabulary);
      state[task.order - 1] = observation;
      return { state, observation };
    }
    const state = integer(random, task.phrase.length);
    return { state, observation: saidAt(task, state, random) };
  },
  step,
  optimal: (task) => (state) =>
    task.kind === "ngram"
      ? likeliest(lawAfter(task, state as ReadonlyArray<number>))
      : task.phrase[placeAfter(task, state as number)]!,
  // Small vocabularies have few phrases. How long a passage is makes no other.
  world: ({ length: _, ...task }) =>
    task.kind === "ngram"
      ? { ...task }
      : { ...task, phrase: leastPhrase(task.phrase) },
});
