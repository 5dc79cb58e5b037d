/** What `credit` writes where: all else in a row stays byte for byte. */
import { deepEqual, equal } from "node:assert/strict";
import * as fc from "fast-check";
import type { Trial } from "../../../../pipeline/schema.ts";
import { credit } from "../../../../pipeline/transforms/credit.ts";
import { type Json, looseText, trials } from "../../random_trials.ts";
import { apply, lines } from "../../trials.ts";
import { holds, parse } from "./groups.ts";

/** A row as text without what the stage writes, wherever that stands. */
function rest(text: string): unknown {
  return parse(text).map(({ credit: _, ...trial }) => [
    Object.keys(trial),
    trial.episodes.map(({ returns: _, advantages: __, ...own }) => {
      const { return: ___, advantage: ____, ...reflection } = own.reflection ??
        {} as Record<string, never>;
      return [
        Object.keys(own),
        Object.keys(reflection),
        reflection,
        own.labels,
      ];
    }),
    JSON.stringify(trial.task),
  ]);
}

/** Takes `"key":value` (a flat list, a number or flat object) out of text. */
function without(text: string, credited: ReadonlyArray<string>): string {
  return credited.reduce((left, part) => {
    const at = left.indexOf(part);
    return left.slice(0, at) + left.slice(at + part.length);
  }, text);
}

const loose = fc.tuple(trials, fc.infiniteStream(fc.nat(9)));

/** Advantages that need no column of a row, and may be given to any. */
const ANY = ["grpo", "gigpo", "pass-at-k", "reinforce++"];

Deno.test("rows keep their keys, their order and all values but credit", () =>
  holds(
    fc.tuple(loose, fc.constantFrom(...ANY)),
    async ([[trial, spaces], advantage]) => {
      const text = looseText(trial as unknown as Json, spaces) + "\n";
      equal(text.split("\n").length, 2);
      const out = await apply(credit, { advantage, score: "episode" }, text);
      deepEqual(rest(out), rest(text));
      const [before, after] = [parse(text)[0]!, parse(out)[0]!];
      const keys = Object.keys(before);
      const added = keys.includes("credit") ? keys : [...keys, "credit"];
      deepEqual(Object.keys(after), added);
    },
    300,
  ));

Deno.test("what is there keeps its bytes, spaces too", () =>
  holds(
    fc.tuple(loose, fc.constantFrom(...ANY)),
    async ([[drawn, spaces], advantage]) => {
      const bare: Trial = {
        ...drawn,
        episodes: drawn.episodes.map(
          ({ returns: _, advantages: __, reflection: ___, ...own }) => own,
        ),
      };
      const { credit: _, ...trial } = bare;
      const text = looseText(trial as unknown as Json, spaces) + "\n";
      // Members of other columns may be called so; here the text is searched.
      fc.pre(!/"(returns|advantages|credit)"/.test(text));
      const given = { advantage, score: "episode", exact: true };
      const out = await apply(credit, given, text);
      const { credit: note, episodes } = parse(out)[0]!;
      const written = episodes.flatMap(({ returns, advantages }) => [
        `,"returns":${JSON.stringify(returns)}`,
        `,"advantages":${JSON.stringify(advantages)}`,
      ]);
      const credited = [...written, `,"credit":${JSON.stringify(note)}`];
      equal(without(out, credited), text);
    },
    300,
  ));

Deno.test("columns that are there are written anew in their place", async () => {
  const row = (credit: string, a: string, g: string, r: string) =>
    `{ ${credit}"id":"t/0","task":{"id":"t","env":"toy","version":1,"params":{}},` +
    `"sample":0,"episodes":[{"advantages" : ${a} ,"observations":[0, 1],` +
    `"actions":[0],"returns":${g},"rewards":[ 2 ],"terminated":true,` +
    `"truncated":false,"reflection":{"advantage":${r},"text":"x"}}, ` +
    `{"observations":[0,1],"actions":[0],"rewards":[4],"terminated":true,"truncated":false` +
    (g === "[9.5]" ? "" : `,"returns":[4],"advantages":[4]`) + `}] }\n`;
  const given = { gamma: 1, "gamma-trial": 0.5, advantage: "dr-grpo" };
  const text = row('"credit":{"by":"other"},', "[7]", "[9.5]", "8");
  const out = await apply(credit, given, text);
  // One trial: nothing to compare with, so that scores stay.
  const note = JSON.stringify(parse(out)[0]!.credit);
  const credited = row(`"credit":${note},`, "[2]", "[4]", "4");
  equal(out, credited.replace('"text":"x"', '"text":"x","return":4'));
});

Deno.test("zeros have no sign, and numbers nine decimals unless they are exact", async () => {
  const text = lines([{
    schema: "retrial/trial@1",
    id: "t/0",
    task: { id: "t", env: "toy", version: 1, params: {} },
    sample: 0,
    episodes: [
      {
        observations: [0, 1, 1],
        actions: [0, 0],
        rewards: [1 / 3, -1 / 3],
        terminated: true,
        truncated: false,
      },
      {
        observations: [0],
        actions: [],
        rewards: [],
        terminated: true,
        truncated: false,
      },
    ],
  } as unknown as Trial]);
  const given = { gamma: 1, "gamma-trial": 0, advantage: "gigpo" };
  const out = await apply(credit, given, text);
  equal(/-0[,\]]/.test(out), false);
  deepEqual(parse(out)[0]!.episodes[0]!.returns, [0, -0.333333333]);
  deepEqual(parse(out)[0]!.episodes[1]!.advantages, []);
  const exact = await apply(credit, { ...given, exact: true }, text);
  deepEqual(parse(exact)[0]!.episodes[0]!.returns, [0, -1 / 3]);
});
