/**
 * Chains: stages joined by `then` in one process, which mean what `|` means
 * between processes.
 *
 * @module
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { hostError, UsageError } from "./errors.ts";
import {
  type AnyOptions,
  type Flags,
  parseFlags,
  suggestion,
} from "./flags.ts";
import type { BatchMapper, Transform } from "./jsonl.ts";
import { failOnBadLine, type OnBadLine } from "./lines.ts";
import type { Recipe } from "./manifest.ts";
import type { Stage, TransformStage } from "./stage.ts";
import { writeAll } from "./files.ts";

/** A word before the name of a folder: `onnx:run`. */
const SCHEME = /^([a-z]+:)?(.*)$/s;

/**
 * Options with their texts, which may name files, by other names: those of
 * `inputs`, and of folders that hold some where a flag names such.
 */
export function renameFiles(
  options: AnyOptions,
  flags: Flags,
  inputs: ReadonlyArray<string>,
  rename: (file: string) => string,
): AnyOptions {
  const renamed = (name: string, text: string) => {
    if (inputs.includes(text)) return rename(text);
    const flag = flags[name];
    if (flag?.type !== "text" || !flag.path) return text;
    const [, scheme = "", folder] = SCHEME.exec(text)!;
    const own = path.join(folder!, path.sep);
    const holds = inputs.some((file) => path.normalize(file).startsWith(own));
    return holds ? scheme + rename(folder!) : text;
  };
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name,
      typeof value === "string" ? renamed(name, value) : value,
    ]),
  );
}

/** Flags of every stage that gives rows. */
export const OUTPUT_FLAGS = {
  "out": {
    type: "text",
    value: "DIR",
    summary: "write a dataset folder rather than standard output",
  },
  "compress": {
    type: "text",
    default: "none",
    choices: ["none", "gz", "zst"],
    value: "FORMAT",
    summary: "pack the files of --out: none, gz or zst",
  },
  "overwrite": {
    type: "switch",
    summary: "replace what another command wrote in DIR",
  },
} as const satisfies Flags;

/** The folder of a stage that writes one of another kind. */
export const FOLDER_FLAGS = {
  "out": {
    type: "text",
    required: true,
    value: "DIR",
    summary: "folder to write, made if not there",
  },
  "overwrite": OUTPUT_FLAGS.overwrite,
} as const satisfies Flags;

/** Flags of every stage that reads rows. */
export const INPUT_FLAGS = {
  "on-error": {
    type: "text",
    default: "fail",
    value: "WHAT",
    summary: "what to do with a bad line: fail, skip or quarantine=FILE",
  },
} as const satisfies Flags;

/** One stage with what it was given. */
export interface Link {
  readonly stage: Stage;
  readonly options: AnyOptions;
  readonly operands: ReadonlyArray<string>;
}

/** Where the rows of a chain go. */
export interface Output {
  readonly out: string | undefined;
  readonly compress: "none" | "gz" | "zst";
  readonly overwrite: boolean;
}

export interface Chain {
  readonly links: ReadonlyArray<Link>;
  readonly output: Output;
}

/** All flags of a stage, its own first. */
export function flagsOf(stage: Stage): Flags {
  switch (stage.kind) {
    case "source":
      return { ...stage.flags, ...OUTPUT_FLAGS };
    case "transform":
      return { ...stage.flags, ...INPUT_FLAGS, ...OUTPUT_FLAGS };
    case "sink":
      return { ...stage.flags, ...INPUT_FLAGS };
    case "keeper":
      return stage.flags;
  }
}

function pick(options: AnyOptions, flags: Flags): AnyOptions {
  return Object.fromEntries(
    Object.keys(flags).map((name) => [name, options[name]]),
  );
}

/** The stage of that name among `stages`. */
export function findStage(
  stages: ReadonlyArray<Stage>,
  name: string,
): Stage {
  const found = stages.find((stage) => stage.name === name);
  if (found) return found;
  const near = suggestion(name, stages.map((stage) => stage.name));
  throw new UsageError({
    message: `Cannot find stage ${name}${near}; see retrial --help`,
  });
}

function splitWords(
  words: ReadonlyArray<string>,
): ReadonlyArray<ReadonlyArray<string>> {
  const runs: Array<Array<string>> = [[]];
  let chained = true;
  for (const word of words) {
    // Behind -- stand words for the stage itself, a chain perhaps.
    if (word === "--") chained = false;
    if (chained && word === "then") runs.push([]);
    else runs.at(-1)!.push(word);
  }
  return runs;
}

/** Reads a command line, or the words behind `retrial`, into a chain. */
export function parseChain(
  stages: ReadonlyArray<Stage>,
  words: ReadonlyArray<string>,
): Chain {
  const parsed = splitWords(words).map(([name, ...rest]) => {
    if (name === undefined) {
      throw new UsageError({ message: "Cannot chain: no stage beside then" });
    }
    const stage = findStage(stages, name);
    return { stage, ...parseFlags(rest, flagsOf(stage)) };
  });
  const links = parsed.map(({ stage, options, positionals }) => ({
    stage,
    options: stage.kind === "transform" || stage.kind === "sink"
      ? pick(options, { ...stage.flags, ...INPUT_FLAGS })
      : pick(options, stage.flags),
    operands: positionals,
  }));
  checkOrder(links);
  parsed.slice(0, -1).forEach(({ options, stage }) => {
    if (options.out === undefined) return;
    throw new UsageError({
      message:
        `Cannot use --out with ${stage.name}: only the last stage writes`,
    });
  });
  const last = parsed.at(-1)!.options;
  if (last.out === "") {
    throw new UsageError({ message: 'Cannot use --out "": a folder expected' });
  }
  return {
    links,
    output: {
      out: last.out as string | undefined,
      compress: (last.compress ?? "none") as Output["compress"],
      overwrite: last.overwrite === true,
    },
  };
}

function checkOrder(links: ReadonlyArray<Link>): void {
  links.forEach(({ stage, operands }, i) => {
    const wrong = (why: string) => {
      throw new UsageError({ message: `Cannot chain ${stage.name}: ${why}` });
    };
    if (stage.kind === "source" && i > 0) {
      wrong("it makes rows, so it is first");
    }
    if (stage.kind === "sink" && i < links.length - 1) {
      wrong("it gives no rows, so it is last");
    }
    if (stage.kind === "keeper" && links.length > 1) {
      wrong("it reads folders, not rows");
    }
    const files = stage.kind === "sink" ? stage.operandsFirst : 0;
    if (i > 0 && operands.length > files) {
      wrong(`it has rows to read, and was given ${operands.at(-1)} too`);
    }
    if (stage.kind === "source" && !stage.operands && operands.length > 0) {
      wrong(`it reads nothing, and was given ${operands[0]}`);
    }
  });
}

/**
 * Files of lines that were set aside by this process: each begins anew with it,
 * and is then shared by all stages and parts that name it.
 */
const quarantines = new Map<string, number>();

function setAside(file: string, line: Uint8Array): void {
  let fd = quarantines.get(file);
  if (fd === undefined) {
    try {
      fd = fs.openSync(file, "w");
    } catch (cause) {
      throw hostError(`set lines aside in ${file}`, cause);
    }
    quarantines.set(file, fd);
  }
  writeAll(fd, line);
}

/** The treatment of bad lines that `--on-error` asks for. */
export function onBadLine(option: string): OnBadLine {
  if (option === "fail") return failOnBadLine;
  if (option === "skip") return () => {};
  const file = /^quarantine=(.+)$/s.exec(option)?.[1];
  if (file === undefined) {
    throw new UsageError({
      message: `Cannot set --on-error to ${
        JSON.stringify(option)
      }: not fail, skip or quarantine=FILE`,
    });
  }
  return (_error, line) => setAside(file, line);
}

function isTransform(link: Link): link is Link & { stage: TransformStage } {
  return link.stage.kind === "transform";
}

/** The treatment of bad lines that a link was given. */
export function badLinesOf({ options }: Link): OnBadLine {
  return onBadLine(String(options["on-error"] ?? "fail"));
}

/** Options as a stage's own function takes them: its own flags alone. */
export function ownOptions(link: Link): never {
  // The table of stages has forgotten each stage's option types; parseFlags has
  // held them against its flags.
  return pick(link.options, link.stage.flags) as never;
}

/** The transforms of `links` as one. */
export function joinTransforms(links: ReadonlyArray<Link>): Transform {
  return (batches) =>
    links.filter(isTransform).reduce(
      (rows, link) =>
        link.stage.apply(ownOptions(link), badLinesOf(link))(rows),
      batches,
    );
}

/** Whether every transform looks at one row at a time. */
export function isRowwise(links: ReadonlyArray<Link>): boolean {
  return links.filter(isTransform).every((link) =>
    link.stage.mapper?.(ownOptions(link)) !== undefined
  );
}

/** Row-wise transforms as one function over batches. */
export function joinMappers(links: ReadonlyArray<Link>): BatchMapper {
  const mappers = links.filter(isTransform).map((link) =>
    link.stage.mapper!(ownOptions(link), badLinesOf(link))!
  );
  return (batch) => mappers.reduce((mapped, map) => map(mapped), batch);
}

const PLAIN = /^[\w./:=,@%+-]+$/;

/** A word as a shell reads it back. */
function quoted(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A shard, or a file of a record, in its folder. */
const IN_FOLDER = /[/\\](data|record-\d{6,})[/\\][^/\\]+$/;

/** Inputs as a person would name them: what is in a folder by the folder. */
function inputNames(inputs: Recipe["inputs"]): ReadonlyArray<string> {
  const names = inputs.map(({ file }) => file.replace(IN_FOLDER, ""));
  return [...new Set(names)];
}

/** The command line of a recipe. */
export function commandOf(
  stages: ReadonlyArray<Stage>,
  { steps, inputs, readsInputs }: Recipe,
): string {
  const shown = steps.map(({ stage, options, operands }, i) => {
    const flags = flagsOf(findStage(stages, stage));
    const given = Object.entries(options).flatMap(([name, value]) => {
      const flag = flags[name];
      if (value === undefined || value === false) return [];
      if (flag && "default" in flag && flag.default === value) return [];
      if (Array.isArray(value)) {
        return value.map((v) => `--${name} ${quoted(v)}`);
      }
      return [
        value === true ? `--${name}` : `--${name} ${quoted(String(value))}`,
      ];
    });
    const files = i === 0 && readsInputs ? inputNames(inputs) : [];
    return [stage, ...given, ...operands, ...files].join(" ");
  });
  return `retrial ${shown.join(" then ")}`;
}
