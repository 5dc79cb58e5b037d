/** The recipe of OmniRL's data, and the check against the published program. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { BEHAVIOURS } from "../../envs/policies/omnirl.ts";
import { retrial, succeeded, withFolder } from "../shell.ts";

const root = path.resolve(import.meta.dirname!, "../..");

/** Runs a script of the recipe's folder. */
async function script(name: string, words: ReadonlyArray<string>) {
  const file = path.join(root, "datasets/anymdp-omnirl", name);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-P=retrial", file, ...words],
    cwd: root,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

/** Cells of the table rows of a page, by their first cell. */
function cellsOf(page: string): Map<string, ReadonlyArray<string>> {
  const rows = [...page.matchAll(/^\| (.*) \|$/gm)].map(([, row]) =>
    row!.split(" | ").map((cell) => cell.trim())
  );
  return new Map(rows.map(([first, ...rest]) => [first!, rest]));
}

/** A mean and its standard error, as the page has them. */
function figure(cell: string): readonly [number, number] {
  const [mean, se] = cell.split(" ± ").map(Number);
  return [mean!, se!];
}

Deno.test("the recipe makes a labelled set, and scores what it is made of", () =>
  withFolder(async (folder) => {
    const out = path.join(folder, "set");
    const words = ["--tasks", "30", "--steps", "600", "--seed", "3"];
    const made = await script("recipe.ts", [...words, "--out", out]);
    equal(made.code, 0, made.err);
    const card = fs.readFileSync(path.join(out, "README.md"), "utf8");
    ok(card.endsWith(made.out));
    const cells = cellsOf(made.out);
    for (const [name, odds] of BEHAVIOURS) equal(cells.get(name)![0], odds);
    // Both ends of the scale are exact, so play must come to them.
    for (const [name, wanted] of [["uniform play", 0], ["opt3", 1]] as const) {
      const [mean, se] = figure(cells.get(name)![3]!);
      ok(Math.abs(mean - wanted) <= 4 * se + 0.01, `${name}: ${mean} ± ${se}`);
    }
    equal(cells.get("opt3")![4], "100.0 %");
    const accepted = cells.get("accepted")!;
    equal(accepted[0], "30");
    succeeded(await retrial(folder, ["verify", "set"]));
    succeeded(await retrial(folder, ["replay", "set"]));
    const trials = succeeded(
      await retrial(folder, [
        "query",
        "select count(*) n, min(steps) >= 600 as long, count(baselines) b from trials",
        "set",
      ]),
    );
    deepEqual(JSON.parse(trials), { n: 30, long: true, b: 30 });
    const again = await script("recipe.ts", [...words, "--out", out]);
    equal(again.out, made.out);
    equal(fs.readFileSync(path.join(out, "README.md"), "utf8"), card);
  }));

Deno.test("the recipe says what flag is wrong", async () => {
  const { code, err } = await script("recipe.ts", ["--scale", "smal"]);
  equal(code, 2);
  match(err, /--scale to "smal".*did you mean small/);
});

Deno.test("verify-reference finds tasks as the program draws them", async () => {
  const words = ["--tasks", "60", "--seed", "5"];
  const { code, out, err } = await script("verify_reference.ts", words);
  equal(code, 0, err);
  const apart = [...out.matchAll(/\| (-?\d+\.\d) \|$/gm)].map(([, z]) => +z!);
  equal(apart.length, 11);
  ok(apart.every((z) => Math.abs(z) <= 4));
});
