/** What `credit --explain` says, worked out by hand from what it shows. */
import { equal, match, ok } from "node:assert/strict";
import type { Trial } from "../../../../pipeline/schema.ts";
import { credit } from "../../../../pipeline/transforms/credit.ts";
import { apply, failure, lines } from "../../trials.ts";

function episode(
  rewards: ReadonlyArray<number>,
  seen: number,
  success: boolean,
) {
  return {
    observations: [...rewards.map((_, t) => t + seen), 9],
    actions: rewards.map(() => 0),
    rewards,
    terminated: false,
    truncated: true,
    success,
  };
}

const rewards = [
  [[0.5, -0.25], [1, 0, 2]],
  [[0, 0.125], [3]],
  [[-1], [0.75, 0.5]],
];

const rows: ReadonlyArray<Trial> = rewards.map((episodes, sample) => ({
  schema: "retrial/trial@1",
  id: `a/${sample}`,
  task: { id: "a", env: "mine", version: 1, params: {} },
  sample,
  policy: { name: "mine", params: {} },
  episodes: episodes.map((own, e) => ({
    ...episode(own, e % 2, e === 1),
    ...(e === 0 && { reflection: { text: "so" } }),
  })),
}));

/** An expression of the text as a number. */
function worth(expression: string): number {
  const product = expression.replaceAll(/([\d)]) \(/g, "$1 * (")
    .replaceAll(/(\d) (?=\d)/g, "$1 * ").replaceAll("^", "**");
  ok(/^[-+*/(). \d]+$/.test(product), product);
  return Number(new Function(`return ${product}`)());
}

function near(a: number, b: number, text: string): void {
  ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}: ${text}`);
}

const OPTIONS = [
  { advantage: "gigpo", cross: "paper" },
  { advantage: "gigpo", norm: "mean-std", cross: "lamer", pool: "rows" },
  { advantage: "grpo", score: "return", cross: "differential" },
  { advantage: "rloo", pool: "episodes" },
  { advantage: "dr-grpo", score: "success" },
] as const;

for (const options of OPTIONS) {
  const { advantage, ...rest } = options;
  Deno.test(`--explain of ${advantage} shows sums that come out: ${JSON.stringify(rest)}`, async () => {
    const [row] = (await apply(credit, options, lines(rows))).split("\n")
      .slice(1, 2).map((line) => JSON.parse(line)) as [Trial];
    const text = await apply(
      credit,
      { ...options, explain: "a/1" },
      lines(rows),
    );
    equal(text.split("\n")[0], "trial a/1, one of 3 in its group");
    const told = row.episodes.flatMap(({ returns, advantages, reflection }) => [
      ...returns!.map((G, t) => [G, advantages![t]!] as const),
      ...(reflection
        ? [[reflection.return!, reflection.advantage!] as const]
        : []),
    ]);
    const steps = text.split("\n").filter((line) => line.startsWith("  "));
    equal(steps.length, told.length);
    steps.forEach((line, i) => {
      const [G, A] = told[i]!;
      const [first, second] = line.split("; A = ");
      near(worth(first!.split(" = ").at(-1)!.replace("g", String(G))), G, line);
      const sums = first!.matchAll(/[gG] = [^=,]*= ([^=,]+) = ([^=,]+)/g);
      for (const [, sum, value] of sums) near(worth(sum!), worth(value!), line);
      const parts = second!.match(
        /= ([^=]+?)(?: of \d+ at its anchor|, alone at its anchor)? = (\S+) → (\S+)$/,
      )!;
      near(worth(parts[1]!), A, line);
      near(worth(parts[2]!), A, line);
      near(worth(parts[3]!), A, line);
    });
  });
}

Deno.test("--explain tells of whitening and clipping, and of ids that are none", async () => {
  const options = { advantage: "rloo", whiten: true, clip: 0.5 };
  const text = await apply(credit, { ...options, explain: "a/0" }, lines(rows));
  const made = await apply(credit, options, lines(rows));
  const { episodes } = JSON.parse(made.split("\n")[0]!) as Trial;
  const shown = [
    ...text.matchAll(
      /step .*whitened by mean (\S+) and variance (\S+), within ±0.5 → (\S+)$/gm,
    ),
  ];
  const advantages = episodes.flatMap(({ advantages }) => advantages!);
  equal(shown.length, advantages.length);
  shown.forEach(([, , , last], i) => near(worth(last!), advantages[i]!, text));
  ok(advantages.some((a) => Math.abs(a) === 0.5));
  const { message } = await failure(
    apply(credit, { explain: "b/0" }, lines(rows)),
  );
  match(message, /^Cannot explain b\/0: no such trial$/);
});
