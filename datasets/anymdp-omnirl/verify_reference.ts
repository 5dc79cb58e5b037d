/**
 * Whether tasks are drawn as the published program draws them: samples tasks of
 * 16, 64 and 128 states, and holds what they are like against the figures that
 * were observed of the program, on few tasks; the program itself is not run.
 *
 *     deno task verify-reference --tasks 400 --seed 1
 *
 * One line a quantity: its mean here with a standard error and quartiles, the
 * program's figure, and how many joint standard errors they are apart. Exits with
 * 65 where one is more than four.
 *
 * @module
 */
import { anymdp } from "../../envs/anymdp/anymdp.ts";
import { summarise, type Summary } from "../../envs/anymdp/summary.ts";
import type { AnyMdpTask } from "../../envs/anymdp/task.ts";
import { resolveParams } from "../../envs/params.ts";
import { drawTask } from "../../envs/rollout.ts";
import { EXIT } from "../../pipeline/errors.ts";
import type { Flags, Options } from "../../pipeline/flags.ts";
import { say } from "../../pipeline/progress.ts";
import { script } from "../script.ts";

const flags = {
  "tasks": {
    type: "count",
    default: 400,
    min: 8,
    summary: "tasks of 16 states; a quarter as many of 64, a tenth of 128",
  },
  "seed": { type: "text", default: "0", summary: "of the first task" },
} as const satisfies Flags;

/** One accepted task, and what it took. */
interface Drawn extends Summary {
  readonly draws: number;
  /** Draws that could not be shaped. */
  readonly unshaped: number;
}

/** A figure of the program, from `of` observations. */
interface Figure {
  readonly value: number;
  readonly se: number;
}

/** A share that was observed on `of` tasks. */
function shareOf(value: number, of: number): Figure {
  return { value, se: Math.sqrt(value * (1 - value) / of) };
}

/** Attempts for a task, a geometric number of them, observed on `of` tasks. */
function attemptsOf(value: number, of: number): Figure {
  return { value, se: Math.sqrt(value * (value - 1) / of) };
}

/** A figure that follows from the definition. */
function exactly(value: number): Figure {
  return { value, se: 0 };
}

interface Quantity {
  readonly name: string;
  readonly of: (drawn: Drawn) => number;
  /** By the number of states. */
  readonly published?: { readonly [states: number]: Figure };
}

const UNSHAPED = ["the top is worth too little", "pitfalls are worth too much"];

const QUANTITIES: ReadonlyArray<Quantity> = [
  {
    name: "attempts for an accepted task",
    of: ({ draws }) => draws,
    published: {
      16: attemptsOf(4.3, 60),
      64: attemptsOf(1.6, 50),
      128: attemptsOf(1.6, 25),
    },
  },
  {
    name: "share with a goal that ends",
    of: ({ goal }) => Number(goal),
    published: { 16: shareOf(0.52, 60) },
  },
  {
    name: "share without pitfalls",
    of: ({ pitfalls }) => Number(pitfalls === 0),
    published: { 16: shareOf(0.38, 60) },
  },
  {
    name: "starts",
    of: ({ starts }) => starts,
    // One to three of them: the deviation is near 0.8.
    published: { 16: { value: 1.87, se: 0.8 / Math.sqrt(60) } },
  },
  {
    name: "longest episode, steps",
    of: ({ horizon }) => horizon,
    // U(100, 128), U(256, 500) and U(512, 513), rounded up.
    published: { 16: exactly(114.5), 64: exactly(378.5), 128: exactly(513) },
  },
  { name: "pitfalls", of: ({ pitfalls }) => pitfalls },
  { name: "value gap (2 or more)", of: ({ valueGap }) => valueGap },
  { name: "out-degree, e^entropy", of: ({ outDegree }) => outDegree },
  { name: "reward scale, RMS", of: ({ rewardScale }) => rewardScale },
  { name: "length, oracle", of: ({ oracle }) => oracle.length },
  { name: "length, uniform play", of: ({ random }) => random.length },
  { name: "return, oracle", of: ({ oracle }) => oracle.return },
  { name: "return, uniform play", of: ({ random }) => random.return },
];

function draw(states: number, count: number, first: bigint): Array<Drawn> {
  const params = resolveParams(anymdp.params, { states });
  return Array.from({ length: count }, (_, i) => {
    const drawn = drawTask(anymdp, params, String(first + BigInt(i)));
    const task = drawn.task as AnyMdpTask;
    const unshaped = UNSHAPED.reduce(
      (sum, why) => sum + (drawn.refusals.get(why) ?? 0),
      0,
    );
    return {
      ...summarise(task, anymdp.table!(task)),
      draws: drawn.draws,
      unshaped,
    };
  });
}

/** What is seen here of a quantity. */
interface Seen extends Figure {
  readonly quartiles: ReadonlyArray<number>;
}

function seenOf(values: ReadonlyArray<number>): Seen {
  const n = values.length;
  const value = values.reduce((a, b) => a + b, 0) / n;
  const squares = values.reduce((sum, x) => sum + (x - value) ** 2, 0);
  const sorted = [...values].sort((a, b) => a - b);
  const quartiles = [0.25, 0.5, 0.75].map((q) => sorted[Math.floor(q * n)]!);
  return { value, se: Math.sqrt(squares / (n - 1) / n), quartiles };
}

/** Joint standard errors between two figures; below them is rounding. */
function apart(seen: Figure, published: Figure): number {
  const se = Math.hypot(seen.se, published.se) || 1e-9;
  return (seen.value - published.value) / se;
}

function rounded(x: number): string {
  return Number(x.toPrecision(4)).toString();
}

/** Lines of the table, and whether all is near enough. */
function compare(
  states: number,
  name: string,
  seen: Seen,
  published: Figure | undefined,
): { readonly line: string; readonly far: boolean } {
  const z = published && apart(seen, published);
  const cells = [
    states,
    name,
    `${rounded(seen.value)} ± ${rounded(seen.se)}`,
    seen.quartiles.map(rounded).join(", "),
    published
      ? rounded(published.value) +
        (published.se > 0 ? ` ± ${rounded(published.se)}` : "")
      : "",
    z === undefined ? "" : z.toFixed(1),
  ];
  const far = z !== undefined && Math.abs(z) > 4;
  return { line: `| ${cells.join(" | ")} |`, far };
}

/** Of draws, not of tasks: how many cannot be shaped, and what passes then. */
function refusals(drawn: ReadonlyArray<Drawn>) {
  const draws = drawn.reduce((sum, one) => sum + one.draws, 0);
  const unshaped = drawn.reduce((sum, one) => sum + one.unshaped, 0);
  const seen = (value: number, of: number): Seen => ({
    ...shareOf(value, of),
    quartiles: [],
  });
  return [
    ["share of draws not shaped", seen(unshaped / draws, draws), 0.32],
    [
      "share of shaped draws accepted",
      seen(drawn.length / (draws - unshaped), draws - unshaped),
      0.35,
    ],
  ] as const;
}

function main({ tasks, seed }: Options<typeof flags>): number {
  const lines = [
    "| states | quantity | here | quartiles | program | apart |",
    "|--:|---|--:|--:|--:|--:|",
  ];
  let wrong = 0;
  const add = (...given: Parameters<typeof compare>) => {
    const { line, far } = compare(...given);
    lines.push(line);
    if (far) wrong++;
  };
  for (const [states, of] of [[16, 1], [64, 4], [128, 10]] as const) {
    const drawn = draw(states, Math.ceil(tasks / of), BigInt(seed));
    for (const { name, of: value, published } of QUANTITIES) {
      add(states, name, seenOf(drawn.map(value)), published?.[states]);
    }
    for (const [name, seen, value] of refusals(drawn)) {
      // About 4.3 draws for each of 60 tasks.
      const published = states === 16 ? shareOf(value, 258) : undefined;
      add(states, name, seen, published);
    }
  }
  Deno.stdout.writeSync(new TextEncoder().encode(lines.join("\n") + "\n"));
  if (wrong === 0) return EXIT.done;
  say(`verify-reference: ${wrong} quantities are more than 4 errors apart\n`);
  return EXIT.data;
}

await script(
  "verify-reference",
  "AnyMDP's tasks against the published program's figures",
  flags,
  main,
);
