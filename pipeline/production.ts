/**
 * How the rows of a chain are made: in how many parts, from which files, and
 * what each part is.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import * as path from "node:path";
import {
  badLinesOf,
  type Chain,
  isRowwise,
  joinMappers,
  joinTransforms,
  type Link,
  ownOptions,
} from "./chain.ts";
import type { StageError } from "./errors.ts";
import { expandInputs, readFiles, readStdin } from "./files.ts";
import { attempt, type Batches, mapBatches } from "./jsonl.ts";
import type { PartsRequest, Router } from "./stage.ts";

const DEFAULT_SPLIT = "train";
const SHARD_NAME = /^(.+)-(\d{5})-of-(\d{5})\.jsonl(\.gz|\.zst)?$/;

/** The rows of a chain, in parts that are functions of their index. */
export interface Production {
  readonly parts: number;
  readonly jobs: number;
  /** Names of a part's files, without ending: `train-00000-of-00016`. */
  readonly stem: (part: number, split?: string) => string;
  readonly splitOf: (part: number) => string;
  readonly open: (part: number) => Batches;
  /** Deals a part out to splits, where the last stage does that. */
  readonly router: (() => Router) | undefined;
  /** Files that the rows depend on. */
  readonly inputs: ReadonlyArray<string>;
  readonly stdin: boolean;
  readonly prepared: unknown;
  /** Steps to be expected, for progress; 0 if unknown. */
  readonly steps: number;
}

function shardStem(split: string, part: number, parts: number): string {
  const five = (n: number) => String(n).padStart(5, "0");
  return `${split}-${five(part)}-of-${five(parts)}`;
}

/** What is common to every production, and what most of them are. */
function single(
  open: () => Batches,
  inputs: ReadonlyArray<string>,
): Production {
  return {
    parts: 1,
    jobs: 1,
    stem: (part, split = DEFAULT_SPLIT) => shardStem(split, part, 1),
    splitOf: () => DEFAULT_SPLIT,
    open,
    router: undefined,
    inputs,
    stdin: false,
    prepared: undefined,
    steps: 0,
  };
}

/** The rest of a chain behind what opens it, the router left off. */
function behind(
  links: ReadonlyArray<Link>,
  open: (part: number) => Batches,
): (part: number) => Batches {
  if (links.length === 0) return open;
  return isRowwise(links)
    ? (part) => mapBatches(() => joinMappers(links))(open(part))
    : (part) => joinTransforms(links)(open(part));
}

function routerOf(link: Link | undefined): (() => Router) | undefined {
  if (link?.stage.kind !== "transform") return undefined;
  const { stage } = link;
  const make = () => stage.router?.(ownOptions(link), badLinesOf(link));
  return make() && (() => make()!);
}

/** Shards keep their names where they have names to keep. */
function namesOf(files: ReadonlyArray<string>) {
  const names = files.map((file) => SHARD_NAME.exec(path.basename(file)));
  const stems = new Set(names.map((name) => name?.[0]));
  const keep = names.every((name) => name !== null) &&
    stems.size === names.length;
  const splitOf = (part: number) => keep ? names[part]![1]! : DEFAULT_SPLIT;
  const stem = (part: number, split = splitOf(part)) =>
    keep
      ? `${split}-${names[part]![2]}-of-${names[part]![3]}`
      : shardStem(split, part, files.length);
  return { splitOf, stem };
}

function fromFiles(
  links: ReadonlyArray<Link>,
  files: ReadonlyArray<string>,
): Production {
  if (!isRowwise(links)) {
    return single(behindAll(links, () => readFiles(files)), files);
  }
  const open = (part: number) => readFiles([files[part]!]);
  return {
    ...single(() => Stream.empty, files),
    ...namesOf(files),
    parts: files.length,
    open: behind(links, open),
  };
}

function behindAll(
  links: ReadonlyArray<Link>,
  open: () => Batches,
): () => Batches {
  const opened = behind(links, open);
  return () => opened(0);
}

const fromSource = Effect.fnUntraced(function* (
  first: Link,
  rest: ReadonlyArray<Link>,
  request: PartsRequest,
): Effect.fn.Return<Production, StageError> {
  const { stage, operands } = first;
  if (stage.kind !== "source") {
    throw new TypeError(`${stage.name} is no source`);
  }
  const options = ownOptions(first);
  const named = yield* attempt(
    "list inputs",
    () => stage.inputs?.(options, operands),
  );
  const inputs = named ? yield* expandInputs(named) : operands;
  if (stage.parts === undefined || !isRowwise(rest)) {
    const open = () => stage.open(options, operands);
    return single(behindAll(rest, open), inputs);
  }
  const parts = yield* stage.parts(options, request);
  return {
    parts: parts.count,
    jobs: parts.jobs,
    stem: (part, split = parts.split) => shardStem(split, part, parts.count),
    splitOf: () => parts.split,
    open: behind(rest, parts.open),
    router: undefined,
    inputs,
    stdin: false,
    prepared: parts.prepared,
    steps: parts.steps,
  };
});

/** The chain's stages that make or change rows. */
function rowLinks(chain: Chain): ReadonlyArray<Link> {
  return chain.links.filter(({ stage }) => stage.kind !== "sink");
}

/** Works out how the rows of `chain` are made; a sink at its end is left off. */
export const planProduction = Effect.fnUntraced(function* (
  chain: Chain,
  request: PartsRequest,
): Effect.fn.Return<Production, StageError> {
  const links = rowLinks(chain);
  const router = request.shards
    ? yield* attempt("read flags", () => routerOf(links.at(-1)))
    : undefined;
  const kept = router ? links.slice(0, -1) : links;
  const [first, ...rest] = kept;
  if (first?.stage.kind === "source") {
    return { ...yield* fromSource(first, rest, request), router };
  }
  const operands = (first ?? links[0])?.operands ?? [];
  if (operands.length === 0) {
    return { ...single(behindAll(kept, readStdin), []), router, stdin: true };
  }
  const files = yield* expandInputs(operands);
  return { ...fromFiles(kept, files), router };
});
