/**
 * Flags of stages: declared once as data, and read by code (as typed options),
 * by the shell, by help, by completion and by the manifest.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { closest, distance } from "fastest-levenshtein";
import { UsageError } from "./errors.ts";

interface FlagBase {
  readonly summary: string;
  /** What the value is called in help. */
  readonly value?: string;
}

export interface TextFlag extends FlagBase {
  readonly type: "text";
  readonly default?: string;
  readonly choices?: ReadonlyArray<string>;
  readonly required?: boolean;
  /** Whether it names files or folders that rows depend on, behind `onnx:` too. */
  readonly path?: boolean;
}

export interface NumberFlag extends FlagBase {
  readonly type: "number" | "count";
  readonly default?: number;
  readonly min?: number;
  readonly max?: number;
  readonly required?: boolean;
}

export interface SwitchFlag extends FlagBase {
  readonly type: "switch";
}

/** May be given several times: a list of texts. */
export interface ListFlag extends FlagBase {
  readonly type: "list";
}

export type Flag = TextFlag | NumberFlag | SwitchFlag | ListFlag;
export type Flags = { readonly [name: string]: Flag };

type Value<F extends Flag> = F extends SwitchFlag ? boolean
  : F extends ListFlag ? ReadonlyArray<string>
  : F extends NumberFlag ? number
  : F extends { readonly choices: ReadonlyArray<infer C> } ? C
  : string;

type Present<F extends Flag> = F extends SwitchFlag | ListFlag ? true
  : F extends { readonly default: string | number } ? true
  : F extends { readonly required: true } ? true
  : false;

/** Every option with its value; those without default may be absent. */
export type Options<F extends Flags> =
  & {
    readonly [K in keyof F as Present<F[K]> extends true ? K : never]: Value<
      F[K]
    >;
  }
  & {
    readonly [K in keyof F as Present<F[K]> extends true ? never : K]?:
      | Value<F[K]>
      | undefined;
  };

type Optional<F extends Flag> = F extends { readonly required: true } ? false
  : true;

/** The options that code may give: all but the required have defaults. */
export type Given<F extends Flags> =
  & {
    readonly [K in keyof F as Optional<F[K]> extends true ? never : K]: Value<
      F[K]
    >;
  }
  & {
    readonly [K in keyof F as Optional<F[K]> extends true ? K : never]?:
      | Value<F[K]>
      | undefined;
  };

/** Options whose types are not known here, as the table of stages has them. */
export type AnyOptions = {
  readonly [name: string]:
    | string
    | number
    | boolean
    | ReadonlyArray<string>
    | undefined;
};

/** What the shell gave a stage. */
export interface Parsed {
  readonly options: AnyOptions;
  readonly positionals: ReadonlyArray<string>;
}

/** ` (did you mean --tasks?)`, or nothing where no name is near. */
export function suggestion(
  given: string,
  known: ReadonlyArray<string>,
  prefix = "",
): string {
  if (known.length === 0) return "";
  const near = closest(given, [...known]);
  const limit = Math.max(2, Math.ceil(given.length / 2));
  const isNear = distance(given, near) <= limit || near.startsWith(given);
  return isNear ? `; did you mean ${prefix}${near}?` : "";
}

function wrong(name: string, given: unknown, expected: string): UsageError {
  const shown = JSON.stringify(given);
  return new UsageError({
    message: `Cannot set --${name} to ${shown}: not ${expected}`,
  });
}

function toNumber(name: string, flag: NumberFlag, given: string | number) {
  const value = typeof given === "number"
    ? given
    : given.trim() === ""
    ? NaN
    : Number(given);
  const { min = flag.type === "count" ? 0 : -Infinity, max = Infinity } = flag;
  const whole = flag.type === "number" || Number.isSafeInteger(value);
  if (Number.isFinite(value) && whole && value >= min && value <= max) {
    return value;
  }
  const kind = flag.type === "count" ? "a whole number" : "a number";
  const low = min === -Infinity ? "" : ` from ${min}`;
  const high = max === Infinity ? "" : ` to ${max}`;
  throw wrong(name, given, kind + low + high);
}

function checked(name: string, flag: Flag, given: unknown): AnyOptions[string] {
  if (given === undefined) {
    if ("required" in flag && flag.required) {
      throw new UsageError({ message: `Cannot run without --${name}` });
    }
    if (flag.type === "switch") return false;
    if (flag.type === "list") return [];
    return "default" in flag ? flag.default : undefined;
  }
  if (flag.type === "number" || flag.type === "count") {
    return toNumber(name, flag, given as string | number);
  }
  if (flag.type === "text" && flag.choices) {
    const text = String(given);
    if (flag.choices.includes(text)) return text;
    const near = suggestion(text, flag.choices);
    throw wrong(name, given, `one of ${flag.choices.join(", ")}${near}`);
  }
  return given as AnyOptions[string];
}

/** Options with defaults filled in and values checked. */
export function checkOptions(
  flags: Flags,
  given: { readonly [name: string]: unknown },
): AnyOptions {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(flags, name)) throw unknownFlag(name, flags);
  }
  return Object.fromEntries(
    Object.entries(flags).map((
      [name, flag],
    ) => [name, checked(name, flag, given[name])]),
  );
}

function unknownFlag(name: string, flags: Flags): UsageError {
  const near = suggestion(name, Object.keys(flags), "--");
  return new UsageError({
    message: `Cannot use --${name}: unknown flag${near}`,
  });
}

/** Reads the words behind a stage's name. */
export function parseFlags(
  words: ReadonlyArray<string>,
  flags: Flags,
): Parsed {
  const config = Object.fromEntries(
    Object.entries(flags).map(([name, { type }]) => [name, {
      type: type === "switch" ? "boolean" as const : "string" as const,
      multiple: true,
    }]),
  );
  const { tokens, positionals } = parseArgs({
    args: [...words],
    options: config,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const given: { [name: string]: unknown } = {};
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    addOption(given, token, flags);
  }
  return { options: checkOptions(flags, given), positionals };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
}

function addOption(
  given: { [name: string]: unknown },
  { name, rawName, value }: OptionToken,
  flags: Flags,
): void {
  if (!Object.hasOwn(flags, name) || !rawName.startsWith("--")) {
    if (rawName.startsWith("--")) throw unknownFlag(name, flags);
    throw new UsageError({ message: `Cannot use ${rawName}: unknown flag` });
  }
  const flag = flags[name]!;
  if (flag.type === "switch") {
    if (value !== undefined) {
      throw wrong(name, value, "a value: it is a switch");
    }
    given[name] = true;
    return;
  }
  if (value === undefined) {
    throw new UsageError({ message: `Cannot use --${name} without a value` });
  }
  if (flag.type === "list") {
    const before = (given[name] as ReadonlyArray<string> | undefined) ?? [];
    given[name] = [...before, value];
    return;
  }
  if (Object.hasOwn(given, name)) {
    throw new UsageError({ message: `Cannot use --${name} twice` });
  }
  given[name] = value;
}

/** `k=v` pairs of a list flag, as an object. */
export function pairs(
  flag: string,
  list: ReadonlyArray<string>,
): { readonly [name: string]: string } {
  return Object.fromEntries(list.map((pair) => {
    const at = pair.indexOf("=");
    if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
    throw wrong(flag, pair, "of the form name=value");
  }));
}
