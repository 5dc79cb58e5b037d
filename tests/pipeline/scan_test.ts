import { deepEqual, equal, ok, throws } from "node:assert/strict";
import * as fc from "fast-check";
import {
  reflectionReturn,
  type ReturnOptions,
  trialReturns,
} from "../../kernels/returns.ts";
import { forEachRow } from "../../pipeline/lines.ts";
import {
  columnEnd,
  columnStart,
  fieldSpan,
  Malformed,
  type RowIndex,
  rowIndex,
  scanRow,
  taskOf,
  worldOf,
} from "../../pipeline/scan.ts";
import {
  COLUMNS,
  type Episode,
  FIELDS,
  type Trial,
} from "../../pipeline/schema.ts";
import { credit } from "../../pipeline/transforms/credit.ts";
import { type Json, looseText, trials } from "./random_trials.ts";
import { apply, episode, failure, trial } from "./trials.ts";

const utf8 = new TextEncoder();
const decoder = new TextDecoder();
const shared = rowIndex();

/** Scans a line among others, with an index that was used before. */
function scan(text: string): RowIndex {
  const before = utf8.encode('{"id":"other"}\n');
  const line = utf8.encode(text + "\n");
  const bytes = new Uint8Array(before.length + line.length + before.length);
  bytes.set(before);
  bytes.set(line, before.length);
  bytes.set(before, before.length + line.length);
  scanRow(bytes, before.length, bytes.length, shared);
  equal(shared.end, before.length + line.length - 1, "it ends with its line");
  return shared;
}

function valueAt(row: RowIndex, from: number, to: number): unknown {
  return JSON.parse(decoder.decode(row.bytes.subarray(from, to)));
}

function checkIndex(row: RowIndex, trial: Trial): void {
  for (const field of FIELDS) {
    const span = fieldSpan(row, field);
    equal(span !== undefined, Object.hasOwn(trial, field), field);
    if (span) deepEqual(valueAt(row, ...span), trial[field]);
  }
  equal(row.episodes, trial.episodes.length);
  equal(taskOf(row), trial.task.id);
  equal(worldOf(row), trial.task.world ?? trial.task.id);
  equal(String.fromCharCode(row.bytes[row.close]!), "}");
  let steps = 0;
  trial.episodes.forEach((episode, e) => {
    COLUMNS.forEach(({ name }, i) => {
      const from = columnStart(row, e, i);
      equal(from !== 0, Object.hasOwn(episode, name), name);
      if (from === 0) return;
      const value = valueAt(row, from, columnEnd(row, e, i));
      deepEqual(value, episode[name as keyof Episode]);
    });
    steps += episode.actions.length;
    equal(row.ends[e], steps);
    equal(row.success[e], episode.success ? 1 : 0);
    equal(row.terminated[e], episode.terminated ? 1 : 0);
    equal(row.bytes[row.closes[e]!], 0x7d);
  });
  const rewards = trial.episodes.flatMap(({ rewards }) => rewards);
  deepEqual([...row.rewards.values.subarray(0, row.rewards.length)], rewards);
}

Deno.test("scanRow() finds in any trial what JSON.parse finds", () =>
  fc.assert(
    fc.property(trials, fc.infiniteStream(fc.nat(9)), (trial, spaces) => {
      const text = looseText(trial as unknown as Json, spaces);
      deepEqual(JSON.parse(text), trial);
      checkIndex(scan(text), trial);
      checkIndex(scan(JSON.stringify(trial)), trial);
    }),
    { numRuns: 400 },
  ));

/** Why a row is refused, `undefined` if it is not. */
function refusal(bytes: Uint8Array): string | undefined {
  let why: string | undefined;
  const batch = { bytes, place: { origin: "x.jsonl", line: 17 }, offset: 0 };
  forEachRow(batch, shared, () => {}, ({ message }) => {
    why = message;
  });
  return why;
}

Deno.test("scanRow() refuses a row cut at any byte, and forEachRow() names its line", () =>
  fc.assert(
    fc.property(trials, (trial) => {
      const whole = utf8.encode(JSON.stringify(trial) + "\n");
      equal(refusal(whole), undefined);
      for (let at = 0; at < whole.length - 1; at++) {
        const cut = whole.slice(0, at + 1);
        cut[at] = 0x0a;
        const why = refusal(cut);
        ok(why?.startsWith("x.jsonl: line 17: "), `cut at ${at}: ${why}`);
        // Without a line feed too, as code may hand it over.
        throws(() => scanRow(whole, 0, at, shared), Malformed);
      }
    }),
    { numRuns: 15 },
  ));

function isList(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length;
}

/** Whether a value keeps what the schema asks, said again by other words. */
function isTrial(value: Trial): boolean {
  const numeric = (list: unknown) =>
    (list as ReadonlyArray<unknown>).every(Number.isFinite);
  return (value.schema === undefined || value.schema === "retrial/trial@1") &&
    typeof value.id === "string" && typeof value.task.id === "string" &&
    Number.isSafeInteger(value.sample) && value.sample >= 0 &&
    value.episodes.length > 0 && value.episodes.every((episode) => {
      const steps = episode.actions.length;
      return isList(episode.observations, steps + 1) &&
        isList(episode.rewards, steps) && numeric(episode.rewards) &&
        typeof episode.terminated === "boolean" &&
        typeof episode.truncated === "boolean" &&
        Object.values(episode.labels ?? {}).every((l) => isList(l, steps)) &&
        ([
          "valid",
          "anchors",
          "tags",
          "returns",
          "advantages",
          "logprobs",
        ] as const)
          .every((name) => !episode[name] || isList(episode[name], steps)) &&
        (!episode.values || isList(episode.values, steps + 1));
    });
}

function parsed(text: string): Trial | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

Deno.test("scanRow() takes a row with one other character only if it is a trial still", () => {
  let [taken, refused] = [0, 0];
  const characters = fc.constantFrom(
    ...' 019-+.eE,:[]{}"\\ntx\u00e9\u2028\0\t',
  );
  fc.assert(
    fc.property(
      trials,
      fc.array(fc.tuple(fc.nat(), characters), {
        minLength: 40,
        maxLength: 40,
      }),
      (trial, changes) => {
        const whole = [...JSON.stringify(trial)];
        for (const [n, character] of changes) {
          const at = n % whole.length;
          const text = whole.with(at, character).join("");
          if (refusal(utf8.encode(text + "\n")) !== undefined) {
            refused++;
            continue;
          }
          taken++;
          const value = parsed(text);
          ok(value !== undefined, `not JSON: ${text}`);
          ok(isTrial(value), `no trial: ${text}`);
        }
      },
    ),
    { numRuns: 300 },
  );
  ok(taken > 500 && refused > 500, `${taken} taken, ${refused} refused`);
});

const unit = fc.integer({ min: 0, max: 20 }).map((n) => n / 20);
const options = fc.record({
  gamma: unit,
  gammaTrial: unit,
  cross: fc.constantFrom("lamer", "paper", "orbit", "differential"),
}) as fc.Arbitrary<ReturnOptions>;

/** `found` where it is `wanted` rounded to nine decimals, up or down. */
function rounded(found = NaN, wanted: number): number {
  // Half of 10^-9, and what doubles of that size leave of it.
  const half = 0.5e-9 + Math.abs(wanted) * 2 ** -51;
  const decimals = String(found).split(".")[1]?.length ?? 0;
  return Math.abs(found - wanted) <= half && decimals <= 9 ? found : wanted;
}

/** What `credit` should make of a trial, object by object. */
function credited(trial: Trial, given: ReturnOptions, found: Trial): Trial {
  const { gamma, gammaTrial, cross } = given;
  let steps = 0;
  const columns = {
    rewards: Float64Array.from(
      trial.episodes.flatMap(({ rewards }) => rewards),
    ),
    ends: Int32Array.from(trial.episodes, (e) => steps += e.actions.length),
    episodes: trial.episodes.length,
    success: Uint8Array.from(trial.episodes, (e) => e.success ? 1 : 0),
  };
  const returns = new Float64Array(steps);
  trialReturns(columns, given, returns);
  const solved = trial.episodes.filter(({ success }) => success).length;
  const episodes = trial.episodes.map((episode, e) => {
    const end = columns.ends[e]!;
    const own = returns.slice(end - episode.actions.length, end);
    const { reflection } = episode;
    const [foundReturns, foundReflection] = [
      found.episodes[e]?.returns,
      found.episodes[e]?.reflection?.return,
    ];
    const next = cross === "orbit"
      ? steps > 0 ? solved : 0
      : reflectionReturn(columns, returns, e);
    return {
      ...episode,
      ...(reflection &&
        {
          reflection: { ...reflection, return: rounded(foundReflection, next) },
        }),
      returns: Array.from(own, (g, t) => rounded(foundReturns?.[t], g)),
    };
  });
  return {
    ...trial,
    episodes,
    credit: { gamma, gamma_trial: gammaTrial, cross },
  };
}

/** The text of each field and column that `credit` does not write. */
function untouched(line: string): ReadonlyArray<string> {
  const row = scan(line.trimEnd());
  const text = (from: number, to: number) =>
    from === 0 ? "none" : decoder.decode(row.bytes.subarray(from, to));
  const fields = FIELDS.filter((name) =>
    name !== "credit" && name !== "episodes"
  )
    .map((name) => `${name}: ${text(...fieldSpan(row, name) ?? [0, 0])}`);
  const columns = Array.from(
    { length: row.episodes },
    (_, e) =>
      COLUMNS.flatMap(({ name }, i) =>
        name === "returns" || name === "reflection"
          ? []
          : [`${name}: ${text(columnStart(row, e, i), columnEnd(row, e, i))}`]
      ),
  );
  return [...fields, ...columns.flat()];
}

function flags({ gamma, gammaTrial, cross }: ReturnOptions) {
  return { gamma, "gamma-trial": gammaTrial, cross };
}

Deno.test("credit() does to bytes what its definition does to objects, once and twice", () =>
  fc.assert(
    fc.asyncProperty(
      trials,
      options,
      fc.infiniteStream(fc.nat(9)),
      async (trial, given, spaces) => {
        const line = looseText(trial as unknown as Json, spaces) + "\n";
        if (
          given.cross === "orbit" &&
          trial.episodes.some(({ success }) => success === undefined)
        ) {
          const error = await failure(apply(credit, flags(given), line));
          equal(error._tag, "DataError");
          return;
        }
        const once = await apply(credit, flags(given), line);
        const found = JSON.parse(once);
        deepEqual(found, credited(trial, given, found));
        equal(await apply(credit, flags(given), once), once, "twice is once");
        deepEqual(untouched(once), untouched(line), "byte for byte");
      },
    ),
    { numRuns: 400 },
  ));

Deno.test("scanRow() refuses labels that are not as long as steps, or there twice", () => {
  const text = (labels: string) => {
    const part = episode([0, 1], { labels: { a: [0, 1] } });
    const row = JSON.stringify(trial("t", 0, { episodes: [part, part] }));
    const [, first, second] = row.split('"labels":{"a":[0,1]}');
    return `${
      row.split('"labels"')[0]
    }"labels":{"a":[0,1]}${first}"labels":{${labels}}${second}`;
  };
  scan(text('"a":[0,1],"b":["x",[]]'));
  const cases = {
    '"a":[0,1],"b":[0,1],"a":[0,1]': "a is there twice",
    '"a":[0,1],"b":[0]': "b has 1 entries, expected 2",
    '"a":[0,1,1],"b":[0,1]': "a has 3 entries, expected 2",
  };
  for (const [labels, message] of Object.entries(cases)) {
    throws(() => scan(text(labels)), {
      name: "Malformed",
      message: `episodes[1].labels.${message}`,
    });
  }
});
