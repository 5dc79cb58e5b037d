/** Presets, flags beside them, and flags that would be given in vain. */
import { deepEqual, equal, match } from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import * as fc from "fast-check";
import { EXIT, exitCode } from "../../../../pipeline/errors.ts";
import { checkOptions } from "../../../../pipeline/flags.ts";
import type { Trial } from "../../../../pipeline/schema.ts";
import { credit } from "../../../../pipeline/transforms/credit.ts";
import { apply, failure, lines } from "../../trials.ts";
import { advantages, credited, groups, holds, parse } from "./groups.ts";

const drawn = fc.sample(groups({ groups: 3, trials: 2 }), {
  numRuns: 20,
  seed: 5,
}).flatMap((some, i) =>
  some.flat().map((trial): Trial => ({
    ...trial,
    task: { ...trial.task, id: `${i}/${trial.task.id}` },
  }))
);

/** What each recipe is, flag by flag, from the papers and LaMer's scripts. */
const PRESETS: {
  readonly [name: string]: { readonly [flag: string]: unknown };
} = {
  "lamer-code": {
    gamma: 0.95,
    "gamma-trial": 0.6,
    cross: "lamer",
    advantage: "gigpo",
    norm: "mean",
    score: "episode",
    pool: "rows",
    "invalid-penalty": 0.5,
    penalise: "episode",
    reflections: "zero",
  },
  "lamer-paper": {
    gamma: 0.95,
    "gamma-trial": 0.6,
    cross: "paper",
    advantage: "gigpo",
    norm: "mean",
    score: "return",
    pool: "trials",
  },
  "orbit": {
    gamma: 1,
    "gamma-trial": 0,
    cross: "orbit",
    advantage: "grpo",
    score: "orbit",
    pool: "trials",
  },
  "grpo": { gamma: 1, "gamma-trial": 0, cross: "paper", advantage: "grpo" },
  "dr-grpo": {
    gamma: 1,
    "gamma-trial": 0,
    cross: "paper",
    advantage: "dr-grpo",
  },
  "rloo": { gamma: 1, "gamma-trial": 0, cross: "paper", advantage: "rloo" },
  "gigpo": {
    gamma: 0.95,
    "gamma-trial": 0,
    cross: "paper",
    advantage: "gigpo",
  },
  "reinforce++": {
    gamma: 1,
    "gamma-trial": 0,
    cross: "paper",
    advantage: "reinforce++",
    score: "return",
  },
  "reinforce++-baseline": {
    gamma: 1,
    "gamma-trial": 0,
    cross: "paper",
    advantage: "reinforce++-baseline",
    score: "episode",
  },
  "pass-at-k": {
    gamma: 1,
    "gamma-trial": 0,
    cross: "paper",
    advantage: "pass-at-k",
    norm: "mean-std",
  },
  "remax": {
    gamma: 1,
    "gamma-trial": 0,
    cross: "paper",
    advantage: "remax",
    score: "return",
    greedy: 0,
  },
  "ppo": {
    gamma: 1,
    "gamma-trial": 0,
    advantage: "gae",
    lambda: 1,
    whiten: true,
  },
  "impala": {
    gamma: 0.99,
    "gamma-trial": 0,
    advantage: "vtrace",
    "rho-clip": 1,
    "c-clip": 1,
  },
};

Deno.test("each preset is there", () => {
  deepEqual(credit.flags.preset.choices, Object.keys(PRESETS));
});

for (const [preset, flags] of Object.entries(PRESETS)) {
  Deno.test(`--preset ${preset} is what its flags are`, async () => {
    const text = lines(drawn);
    equal(
      await apply(credit, { preset }, text),
      await apply(credit, flags as never, text),
    );
  });
}

/** Flags in the words of a command line, as code gives them. */
function flagsOf(words: string): { readonly [flag: string]: unknown } {
  return Object.fromEntries(
    words.split("--").filter(Boolean).map((part) => {
      const [name, value] = part.trim().split(" ");
      const number = Number(value);
      return [
        name,
        value === undefined ? true : isNaN(number) ? value : number,
      ];
    }),
  );
}

Deno.test("the presets of docs/credit.md are those of the program", async () => {
  const page = fs.readFileSync(
    path.resolve(import.meta.dirname!, "../../../../docs/credit.md"),
    "utf8",
  );
  const listed = [
    ...page.matchAll(/^\| `([^`]+)` \| `(--advantage [^`]+)` \|$/gm),
  ];
  deepEqual(listed.map(([, name]) => name), Object.keys(PRESETS));
  for (const [, preset, words] of listed) {
    const text = lines(drawn);
    equal(
      await apply(credit, flagsOf(words!) as never, text),
      await apply(credit, { preset: preset! }, text),
      preset,
    );
  }
});

Deno.test("presets are not all the same", async () => {
  const made = await Promise.all(
    Object.keys(PRESETS).map((preset) => advantages(drawn, { preset })),
  );
  equal(
    new Set(made.map((list) => JSON.stringify(list))).size,
    made.length,
  );
});

Deno.test("flags beside a preset win", async () => {
  const [row] = await credited(drawn, {
    preset: "lamer-code",
    pool: "trials",
    "invalid-penalty": 0,
    gamma: 0.5,
    reflections: "next",
  });
  deepEqual(row!.credit, {
    gamma: 0.5,
    gamma_trial: 0.6,
    cross: "lamer",
    advantage: "gigpo",
    score: "episode",
    reflections: "next",
    pool: "trials",
    group: "task",
    norm: "mean",
    anchor: "observation",
    step_weight: 1,
  });
  // An estimator of another kind than the preset's takes what it reads of it.
  const found = await credited(drawn, {
    preset: "lamer-code",
    advantage: "grpo",
  });
  deepEqual(
    [found[0]!.credit!.advantage, found[0]!.credit!.pool],
    ["grpo", "rows"],
  );
});

/** Flags, and an estimator that does not read them. */
const VAIN: ReadonlyArray<readonly [flag: string, value: unknown, of: string]> =
  [
    ["score", "return", "none"],
    ["score", "return", "gae"],
    ["cross", "paper", "vtrace"],
    ["pool", "rows", "none"],
    ["pool", "rows", "remax"],
    ["pool", "rows", "reinforce++"],
    ["group", "world", "none"],
    ["reflections", "zero", "gae"],
    ["invalid-penalty", 1, "none"],
    ["invalid-penalty", 1, "vtrace"],
    ["penalise", "both", "grpo"],
    ["whiten", true, "none"],
    ["clip", 1, "none"],
    ["norm", "mean", "grpo"],
    ["norm", "mean", "rloo"],
    ["anchor", "none", "grpo"],
    ["step-weight", 0.5, "dr-grpo"],
    ["cut", "trial", "gigpo"],
    ["lambda", 0.5, "grpo"],
    ["rho-clip", 1, "gae"],
    ["c-clip", 1, "gae"],
    ["greedy", 1, "grpo"],
    ["batch", 2, "grpo"],
    ["batch", 2, "gae"],
  ];

for (const [flag, value, advantage] of VAIN) {
  Deno.test(`--${flag} beside --advantage ${advantage} is refused`, async () => {
    const run = async () => {
      // Refused where the stage is made, or where it first runs.
      await apply(credit, { advantage, [flag]: value } as never, drawn);
    };
    const error = await failure(run());
    equal(exitCode(error), EXIT.usage);
    match(error.message, new RegExp(`Cannot use --${flag} with`));
  });
}

Deno.test("what the credit of a row says are options that make the row again", () =>
  holds(
    fc.tuple(
      fc.constantFrom(...Object.keys(PRESETS)),
      fc.constantFrom({}, { gamma: 0.5 }, { "gamma-trial": 0.25 }),
    ),
    async ([preset, more]) => {
      const text = await apply(credit, { preset, ...more }, lines(drawn));
      const { whiten_batch: batch, ...note } = parse(text)[0]!.credit as {
        readonly [name: string]: unknown;
      };
      const flags = Object.fromEntries(
        Object.entries(note).map((
          [name, value],
        ) => [name.replaceAll("_", "-"), value]),
      );
      const again = {
        ...flags,
        ...batch !== undefined && { whiten: true, batch },
      };
      checkOptions(credit.flags, again as never);
      equal(await apply(credit, again as never, lines(drawn)), text);
    },
    30,
  ));
