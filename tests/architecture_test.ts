import { deepEqual, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";

/** The text of source files, by path from the root of the repository. */
type Sources = ReadonlyMap<string, string>;

const LONGEST = 400;
const LAYERS = ["kernels", "envs", "pipeline", "datasets"];
const SIBLINGS = [
  "transforms",
  "sources",
  "sinks",
  "keeping",
  "exports",
  "training",
];
const NATIVE = ["@duckdb/node-api", "onnxruntime-node"];
/** The kernels that may import a package, and which. */
const SESSION = "kernels/onnx/session.ts";
const BYTES = "kernels/onnx/bytes.ts";
const PACKAGES: Readonly<Record<string, string>> = {
  [SESSION]: "onnxruntime-node",
  [BYTES]: "@bufbuild/protobuf/wire",
};

const TOKEN =
  /\/\/.*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;

/** Code without comments, and with `keep` false without strings. */
function bare(text: string, keep: boolean): string {
  return text.replace(
    TOKEN,
    (token) => token.startsWith("/") ? " " : keep ? token : '""',
  );
}

const IMPORT =
  /(?:^|[;}\n])\s*(?:import|export)\b[^;"'`()]*?\bfrom\s*(["'])(.*?)\1|(?:^|[;}\n])\s*import\s*(["'])(.*?)\3|\bimport\s*\(\s*(["'])(.*?)\5/g;

/** What a file imports, types and dynamic imports too; paths from the root. */
function importsOf(file: string, text: string): ReadonlyArray<string> {
  return Array.from(bare(text, true).matchAll(IMPORT), (match) => {
    const name = (match[2] ?? match[4] ?? match[6])!;
    return name.startsWith(".")
      ? path.posix.join(path.posix.dirname(file), name)
      : name;
  });
}

function layerOf(file: string): number {
  return LAYERS.indexOf(file.split("/")[0]!);
}

function siblingOf(file: string): string | undefined {
  const [top, folder, name] = file.split("/");
  return top === "pipeline" && name !== undefined && SIBLINGS.includes(folder!)
    ? folder
    : undefined;
}

/** Whether an import is of a file of ours, not of a package. */
function isOurs(name: string): boolean {
  return /^[\w./-]+\.(ts|json)$/.test(name) && !name.startsWith("@");
}

function* importFaults(file: string, name: string) {
  const layer = layerOf(file);
  const inside = layer >= 0 && file.includes("/") && !file.startsWith("tests/");
  if (/^(jsr|https?):/.test(name)) yield "is not to be had here";
  if (name === "effect" || name === "effect/index") yield "is a barrel";
  if (!inside) return;
  const pure = layer <= LAYERS.indexOf("envs");
  if (!isOurs(name)) {
    if (pure && PACKAGES[file] !== name) yield "is not for pure code";
    return;
  }
  const isUser = LAYERS[layer] === "datasets";
  if (name === "pipeline/cli.ts" || (name === "mod.ts" && !isUser)) {
    yield "is for users";
  }
  if (name === "pipeline/worker.ts") yield "is started by URL";
  if (name.startsWith("tests/")) yield "is a test";
  if (layerOf(name) > layer) yield "is of a higher layer";
  if (pure && layerOf(name) < 0) yield "is not for pure code";
  const [from, to] = [siblingOf(file), siblingOf(name)];
  if (from !== undefined && to !== undefined && from !== to) {
    yield "is of a sibling";
  }
  if (layer > 1 && from === undefined && to !== undefined) {
    const isTable = file === "pipeline/stages.ts" || isUser;
    if (!isTable) yield "is a stage, which only the table knows";
  }
}

const FORBIDDEN =
  /\bMath\s*\.\s*random\b|\bDate\s*\.\s*now\b|\bnew Date\(\s*\)|\bconsole\s*\./g;

function* globalFaults(file: string, text: string) {
  if (file.startsWith("tests/")) return;
  const code = bare(text, false);
  for (const [use] of code.matchAll(FORBIDDEN)) yield use;
  const layer = layerOf(file);
  if (layer < 0 || layer > LAYERS.indexOf("envs")) return;
  if (/\bDeno\b/.test(code)) yield "Deno";
}

/** What is wrong with how files hang together, a line each. */
function faultsOf(sources: Sources): ReadonlyArray<string> {
  const importers = new Map<string, Set<string>>();
  const found: Array<string> = [];
  for (const [file, text] of sources) {
    for (const name of importsOf(file, text)) {
      for (const why of importFaults(file, name)) {
        found.push(`${file} imports ${name}, which ${why}`);
      }
      const users = importers.get(name) ?? new Set();
      if (!file.startsWith("tests/")) importers.set(name, users.add(file));
    }
    for (const use of globalFaults(file, text)) {
      found.push(`${file} uses ${use}`);
    }
    const lines = text.split("\n").length - 1;
    if (lines > LONGEST) found.push(`${file} is too long`);
  }
  for (const name of NATIVE) {
    const users = [...importers.get(name) ?? []];
    if (users.length > 1) found.push(`${name} is imported by ${users}`);
  }
  return [...new Set(found)];
}

const root = path.resolve(import.meta.dirname!, "..");
const NOT_OURS = new Set(["node_modules", "coverage", "demo", "vectors"]);

function* walk(folder: string): Iterable<string> {
  for (const entry of fs.readdirSync(path.join(root, folder))) {
    if (NOT_OURS.has(entry) || entry.startsWith(".")) continue;
    const file = path.posix.join(folder, entry);
    const info = fs.lstatSync(path.join(root, file));
    if (info.isDirectory()) yield* walk(file);
    else if (file.endsWith(".ts")) yield file;
  }
}

const repository: Sources = new Map(
  Array.from(walk(""), (file) => [
    file,
    fs.readFileSync(path.join(root, file), "utf8"),
  ]),
);

Deno.test("the repository keeps its architecture", () => {
  ok(repository.size > 50, "the walk found the files");
  deepEqual(faultsOf(repository), []);
});

/** What the engine says that the modules behind a file import. */
function graphOf(file: string): Map<string, Set<string>> {
  const args = ["info", "--json", "--no-remote", "--quiet", file];
  const graph = JSON.parse(
    execFileSync(Deno.execPath(), args, { cwd: root, encoding: "utf8" }),
  );
  const base = pathToFileURL(root + "/").href;
  const ours = (url: string) =>
    url.startsWith(base) && !/node_modules/.test(url);
  type Dependency = { specifier: string };
  type Module = { specifier: string; dependencies?: Array<Dependency> };
  return new Map(
    graph.modules.filter(({ specifier }: Module) => ours(specifier)).map((
      { specifier, dependencies = [] }: Module,
    ) => {
      const own = specifier.slice(base.length);
      const folder = path.posix.dirname(own);
      const names = dependencies.map(({ specifier: name }) =>
        name.startsWith(".") ? path.posix.join(folder, name) : name
      );
      return [own, new Set(names)];
    }),
  );
}

Deno.test("importsOf() finds the imports that the engine finds", () => {
  const graph = graphOf("pipeline/cli.ts");
  ok(graph.size > 40, "the graph holds the program");
  for (const [file, names] of graph) {
    deepEqual(
      [...new Set(importsOf(file, repository.get(file)!))].sort(),
      [...names].sort(),
      file,
    );
  }
});

Deno.test("importsOf() reads every way of importing", () => {
  const text = `
    // import "./a.ts";
    /** import { b } from "./b.ts"; */
    import type {
      C,
    } from "../c.ts";
    import * as d from 'd'; import "./e.ts";
    export { f } from "./f.ts";
    export * from "g";
    const h = await import("./h.ts"), i: typeof import("i") = h;
    const j = "import './j.ts'", k = { from: "./k.ts" };
  `;
  deepEqual(importsOf("x/y/z.ts", text), [
    "x/c.ts",
    "d",
    "x/y/e.ts",
    "x/y/f.ts",
    "g",
    "x/y/h.ts",
    "i",
  ]);
});

/** Sources that are wrong on purpose, and what is wrong with each. */
const broken: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> =
  [
    ["kernels/a.ts", 'import "../envs/env.ts";', ["is of a higher layer"]],
    ["kernels/a.ts", 'import "node:fs";', ["is not for pure code"]],
    ["kernels/a.ts", 'import "effect/Effect";', ["is not for pure code"]],
    ["kernels/a.ts", 'import "npm:mathjs";', ["is not for pure code"]],
    ["kernels/a.ts", 'import "onnxruntime-node";', ["is not for pure code"]],
    [SESSION, 'import "onnxruntime-node";', []],
    [BYTES, 'import "onnxruntime-node";', ["is not for pure code"]],
    [BYTES, 'import "@bufbuild/protobuf/wire";', []],
    ["kernels/random/a.ts", 'import "../b.ts";', []],
    ["envs/a.ts", 'import "../pipeline/schema.ts";', ["is of a higher layer"]],
    ["envs/a.ts", 'import "../deno.json";', ["is not for pure code"]],
    ["envs/policies/a.ts", 'import "../../kernels/b.ts";', []],
    ["envs/a.ts", 'const f = () => import("node:fs");', [
      "is not for pure code",
    ]],
    ["pipeline/a.ts", 'import type { T } from "../mod.ts";', ["is for users"]],
    ["pipeline/a.ts", 'import "./cli.ts";', ["is for users"]],
    ["pipeline/a.ts", 'import "./worker.ts";', ["is started by URL"]],
    ["pipeline/a.ts", 'import "../datasets/b.ts";', ["is of a higher layer"]],
    ["pipeline/a.ts", 'import "../tests/b.ts";', ["is a test"]],
    ["pipeline/a.ts", 'import { pipe } from "effect";', ["is a barrel"]],
    ["pipeline/a.ts", 'import "jsr:@std/cli";', ["is not to be had here"]],
    ["pipeline/a.ts", 'import "https://x.y/z.ts";', ["is not to be had here"]],
    ["tests/a.ts", 'import { pipe } from "effect";', ["is a barrel"]],
    ["pipeline/sources/a.ts", 'import "../sinks/b.ts";', ["is of a sibling"]],
    ["pipeline/transforms/a.ts", 'import "../sources/b.ts";', [
      "is of a sibling",
    ]],
    ["pipeline/keeping/a.ts", 'import "../exports/b.ts";', ["is of a sibling"]],
    ["pipeline/keeping/a.ts", 'import "../dataset.ts";', []],
    ["pipeline/run.ts", 'import "./sources/generate.ts";', [
      "is a stage, which only the table knows",
    ]],
    ["pipeline/stages.ts", 'import "./sources/generate.ts";', []],
    ["datasets/lake/a.ts", 'import "../../mod.ts";', []],
    ["tests/a_test.ts", 'import "../pipeline/cli.ts";', []],
  ];

for (const [file, text, whys] of broken) {
  Deno.test(`faultsOf() judges ${file} with ${text}`, () => {
    const faults = faultsOf(new Map([[file, text]]));
    deepEqual(faults.map((fault) => /, which (.*)/.exec(fault)?.[1]), whys);
  });
}

Deno.test("faultsOf() sees clocks, dice, consoles and hosts", () => {
  const uses = (file: string, text: string) =>
    faultsOf(new Map([[file, text]])).map((fault) => fault.split(" uses ")[1]);
  deepEqual(uses("pipeline/a.ts", "f(Math.random(), Date.now())"), [
    "Math.random",
    "Date.now",
  ]);
  deepEqual(uses("mod.ts", "console.log(new Date())"), [
    "console.",
    "new Date()",
  ]);
  deepEqual(uses("envs/a.ts", "Deno.readTextFileSync(x)"), ["Deno"]);
  deepEqual(uses("pipeline/a.ts", "Deno.exit() // Math.random()"), []);
  deepEqual(uses("envs/a.ts", 'f("Deno", "Math.random")'), []);
  deepEqual(uses("tests/a_test.ts", "Date.now()"), []);
});

Deno.test("faultsOf() sees long files and second importers", () => {
  const long = "\n".repeat(401);
  deepEqual(faultsOf(new Map([["tests/a.ts", long]])), [
    "tests/a.ts is too long",
  ]);
  deepEqual(faultsOf(new Map([["tests/a.ts", "\n".repeat(400)]])), []);
  const duck = 'import "@duckdb/node-api";';
  deepEqual(
    faultsOf(
      new Map([
        ["pipeline/sinks/a.ts", duck],
        ["pipeline/sources/b.ts", 'import("@duckdb/node-api")'],
        ["tests/c.ts", duck],
      ]),
    ),
    ["@duckdb/node-api is imported by pipeline/sinks/a.ts,pipeline/sources/b.ts"],
  );
});
