/** Groups of trials to credit, and what the stage makes of them. */
import * as fc from "fast-check";
import type { AnyOptions } from "../../../../pipeline/flags.ts";
import type { Episode, Trial } from "../../../../pipeline/schema.ts";
import { credit } from "../../../../pipeline/transforms/credit.ts";
import { apply, lines, trial } from "../../trials.ts";

/** Of 2^-4: few digits, ties are frequent. */
const reward = fc.integer({ min: -32, max: 32 }).map((n) => n / 16);

/** What is seen: few things, so that steps share them. */
const SEEN: ReadonlyArray<fc.Arbitrary<unknown>> = [
  fc.nat(3),
  fc.constantFrom(0, 5000, -1, 2.5, 1e300),
  fc.constantFrom([0, 1], [0, 2], []),
  fc.constantFrom("a", "b", "reflection", "0", "größer"),
  fc.constantFrom<unknown>(0, 1, "0", [0], [1]),
];
const anchor = fc.constantFrom<unknown>(0, 1, "0", "reflection", null, [0]);

function listOf<A>(entry: fc.Arbitrary<A>, length: number) {
  return fc.array(entry, { minLength: length, maxLength: length });
}

/** What trials are drawn with; `steps` is the least of an episode. */
export interface Drawn {
  readonly steps?: number;
  readonly most?: number;
  readonly trials?: number;
  readonly groups?: number;
}

function episodes(seen: fc.Arbitrary<unknown>, { steps = 0, most = 4 }: Drawn) {
  const ofLength = (length: number) =>
    fc.record({
      observations: listOf(seen, length + 1),
      actions: listOf(fc.nat(3), length),
      rewards: listOf(reward, length),
      terminated: fc.boolean(),
      truncated: fc.boolean(),
      success: fc.boolean(),
      valid: listOf(fc.boolean(), length),
      logprobs: listOf(reward, length),
      target_logprobs: listOf(reward, length),
      values: listOf(reward, length + 1),
      anchors: listOf(anchor, length),
      reflection: fc.record(
        { text: fc.constant("try left"), valid: fc.boolean() },
        { requiredKeys: ["text"] },
      ),
    }, {
      requiredKeys: [
        "observations",
        "actions",
        "rewards",
        "terminated",
        "truncated",
        "success",
        "logprobs",
        "target_logprobs",
        "values",
      ],
    }) as unknown as fc.Arbitrary<Episode>;
  return fc.array(fc.integer({ min: steps, max: most }).chain(ofLength), {
    minLength: 1,
    maxLength: 4,
  });
}

/** Trials of one task. */
export function groupOf(
  task: string,
  drawn: Drawn = {},
): fc.Arbitrary<ReadonlyArray<Trial>> {
  return fc.nat(SEEN.length - 1).chain((kind) =>
    fc.array(episodes(SEEN[kind]!, drawn), {
      minLength: drawn.trials ?? 1,
      maxLength: 4,
    })
  ).map((played) =>
    played.map((episodes, sample) => trial(task, sample, { episodes }))
  );
}

/** Groups, each of a task of its own. */
export function groups(
  drawn: Drawn = {},
): fc.Arbitrary<ReadonlyArray<ReadonlyArray<Trial>>> {
  return fc.integer({ min: drawn.groups ?? 1, max: 3 }).chain((count) =>
    fc.tuple(
      ...["a", "b", "c"].slice(0, count).map((name) => groupOf(name, drawn)),
    )
  );
}

export function parse(text: string): Array<Trial> {
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

/** Rows as the stage credits them, to the last bit. */
export async function credited(
  trials: ReadonlyArray<Trial>,
  given: AnyOptions,
): Promise<Array<Trial>> {
  return parse(await apply(credit, { exact: true, ...given }, lines(trials)));
}

/** The advantages of a trial: of steps, and of the reflection behind them. */
export function advantagesOf({ episodes }: Trial): Array<number> {
  return episodes.flatMap(({ advantages, reflection }) => [
    ...advantages!,
    ...reflection ? [reflection.advantage!] : [],
  ]);
}

export function returnsOf({ episodes }: Trial): Array<number> {
  return episodes.flatMap(({ returns, reflection }) => [
    ...returns!,
    ...reflection ? [reflection.return!] : [],
  ]);
}

/** All advantages of rows, in their order. */
export async function advantages(
  trials: ReadonlyArray<Trial>,
  given: AnyOptions,
): Promise<Array<number>> {
  return (await credited(trials, given)).flatMap(advantagesOf);
}

/** Runs of a property that credits drawn groups. */
export function holds<A>(
  drawn: fc.Arbitrary<A>,
  check: (value: A) => Promise<void>,
  numRuns = 100,
): Promise<void> {
  return fc.assert(fc.asyncProperty(drawn, check), { numRuns });
}
