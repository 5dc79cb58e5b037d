/** Trials of every shape that the schema allows. */
import * as fc from "fast-check";
import type { Episode, Trial } from "../../pipeline/schema.ts";

export type Json = null | boolean | number | string | Json[] | {
  [name: string]: Json;
};

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom("\u2028", "\u0085", "größer", '"', "\\", "\n", "😀", "]}"),
);
/**
 * Keys without a backslash in print: V8 15.0 takes the escaped key of one object
 * for that of another (`{" ":0,"\\n":0}` after `{" ":0,"\\\\":0}`).
 */
const key = fc.oneof(
  fc.stringMatching(/^[a-z ,:{}[\]]{0,6}$/),
  fc.constantFrom("\u2028", "größer", "😀", "returns", "id"),
);
const number = fc.oneof(
  fc.constantFrom(0, 1, -1, 0.5, 10, 100),
  fc.integer({ min: -1e6, max: 1e6 }),
  fc.integer({ min: -1e9, max: 1e9 }).map((n) => n / 1000),
  fc.double({ min: -1e4, max: 1e4, noNaN: true }),
);
// No -0: it is a value that JSON.stringify does not print.
const numbers = number.map((x) => x + 0);
const leaf = fc.oneof(text, numbers, fc.boolean(), fc.constant(null));
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 2 },
    leaf,
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(key, tie("json"), { maxKeys: 3 }),
  ) as fc.Arbitrary<Json>,
}));
const observation = fc.oneof(
  fc.nat(99),
  text,
  fc.array(numbers, { maxLength: 3 }),
);

function listOf<A>(entry: fc.Arbitrary<A>, length: number) {
  return fc.array(entry, { minLength: length, maxLength: length });
}

/** Some of the members of a record, in any order. */
function shuffled<A extends object>(
  record: fc.Arbitrary<A>,
): fc.Arbitrary<A> {
  return record.chain((value) => {
    const entries = Object.entries(value);
    return fc.shuffledSubarray(entries, {
      minLength: entries.length,
      maxLength: entries.length,
    }).map((order) => Object.fromEntries(order) as A);
  });
}

const reflection = shuffled(fc.record({
  text,
  valid: fc.boolean(),
  source: text,
  return: numbers,
  advantage: numbers,
  more: json,
}, { requiredKeys: ["text"] }));

function episodeOf(steps: number): fc.Arbitrary<Episode> {
  const own = (entry: fc.Arbitrary<unknown>) => listOf(entry, steps);
  const record = fc.record({
    observations: fc.oneof(
      listOf(fc.nat(9), steps + 1),
      listOf(observation, steps + 1),
    ),
    actions: fc.oneof(own(fc.nat(9)), own(observation)),
    rewards: fc.oneof(own(fc.constantFrom(0, 0, 0, 1)), own(numbers)),
    terminated: fc.boolean(),
    truncated: fc.boolean(),
    success: fc.boolean(),
    valid: own(fc.boolean()),
    logprobs: own(numbers),
    values: listOf(numbers, steps + 1),
    labels: fc.dictionary(key, own(fc.nat(9)), { maxKeys: 2 }),
    tags: own(fc.nat(7)),
    returns: own(numbers),
    advantages: own(numbers),
    anchors: own(json),
    responses: fc.array(text, { maxLength: 3 }),
    tokens: fc.array(json, { maxLength: 2 }),
    reflection,
    extra: json,
  }, {
    requiredKeys: [
      "observations",
      "actions",
      "rewards",
      "terminated",
      "truncated",
    ],
  });
  // The lists hold what their columns ask for.
  return shuffled(record) as unknown as fc.Arbitrary<Episode>;
}

const episodes = fc.array(fc.nat(6).chain(episodeOf), {
  minLength: 1,
  maxLength: 4,
});

const record = fc.record({
  schema: fc.constant("retrial/trial@1"),
  id: text,
  task: shuffled(fc.record({
    id: text,
    env: text,
    version: fc.nat(9),
    params: fc.dictionary(key, numbers, { maxKeys: 2 }),
    seed: text,
    world: text,
  }, { requiredKeys: ["id", "env", "version", "params"] })),
  sample: fc.nat(),
  seed: text,
  policy: json,
  episodes,
  credit: fc.dictionary(key, json, { maxKeys: 2 }),
  tags: json,
  boundary: json,
  more: json,
}, { requiredKeys: ["id", "task", "sample", "episodes"] });

/** Any trial: any columns, any values, any order of keys. */
export const trials = shuffled(record) as unknown as fc.Arbitrary<Trial>;

/** JSON with spaces where JSON allows them, as `spaces` has it. */
export function looseText(value: Json, spaces: Iterator<number>): string {
  const gap = () =>
    ["", "", "", "", "", "", " ", "\t", "\r", "  "][
      spaces.next().value ?? 0
    ]!;
  const print = (part: Json): string => {
    if (Array.isArray(part)) {
      return `[${gap()}${part.map(print).join(`,`)}${gap()}]`;
    }
    if (typeof part !== "object" || part === null) {
      return gap() + JSON.stringify(part) + gap();
    }
    const members = Object.entries(part).map(([key, member]) =>
      `${gap()}${JSON.stringify(key)}${gap()}:${gap()}${print(member)}${gap()}`
    );
    return `{${gap()}${members.join(",")}${gap()}}`;
  };
  return print(value);
}
