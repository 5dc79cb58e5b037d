/** The commands of README and docs, run as they stand. */
import { equal, ok } from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { bash, withFolder } from "./shell.ts";
import { toolTest } from "./tools.ts";

const root = path.resolve(import.meta.dirname!, "..");
const PAGES = [
  "README.md",
  "docs/credit.md",
  "docs/import.md",
  "docs/export.md",
  "docs/train.md",
];
/** A block that starts with its file's name is that file. */
const NAMED = /^\/\/ (\w+\.ts)\n/;

interface Block {
  readonly language: string;
  readonly text: string;
}

function blocksOf(page: string): ReadonlyArray<Block> {
  const text = fs.readFileSync(path.join(root, page), "utf8");
  return [...text.matchAll(/^```(\w+)(?: ignore)?\n(.*?)^```/gms)].map((
    [, language, text],
  ) => ({ language: language!, text: text! }));
}

for (const page of PAGES) {
  const blocks = blocksOf(page);
  toolTest(
    `the commands of ${page} work`,
    ["bash", "gzip", "jq"],
    () =>
      withFolder(async (folder) => {
        fs.symlinkSync(
          path.join(root, "datasets"),
          path.join(folder, "datasets"),
        );
        for (const { text } of blocks) {
          const name = NAMED.exec(text)?.[1];
          if (name) fs.writeFileSync(path.join(folder, name), text);
        }
        const scripts = blocks.filter(({ language }) => language === "sh");
        ok(scripts.length > 0);
        for (const { text } of scripts) {
          // `| head` closes pipes on purpose; what fails else must be seen.
          const { code, err } = await bash(
            folder,
            `set -euo pipefail\n${text}`,
          );
          equal(code, 0, `${text}\n${err}`);
        }
      }),
  );
}

Deno.test("the stages of README are those of the program", async () => {
  const { stages } = await import("../pipeline/stages.ts");
  const text = fs.readFileSync(path.join(root, "README.md"), "utf8");
  const listed = [...text.matchAll(/^\|[^|]*\| `(\w+)` \|/gm)].map(([, name]) =>
    name
  );
  equal(listed.join(" "), stages.map(({ name }) => name).join(" "));
});

Deno.test("the examples of help are command lines of the program", async () => {
  const { stages } = await import("../pipeline/stages.ts");
  const { parseChain } = await import("../pipeline/chain.ts");
  for (const { name, examples } of stages) {
    ok(examples.length > 0, name);
    for (const example of examples) {
      const [, own] = /(?:^|\| )retrial ([^|>]*)/.exec(
        example.replace(/^.*\| (?=retrial )/, ""),
      ) ?? [];
      ok(own, example);
      const words = [...own.matchAll(/'([^']*)'|(\S+)/g)].map((
        [, quoted, word],
      ) => quoted ?? word!);
      parseChain(stages, words);
    }
  }
});
