/**
 * Parameters of environments and policies: declared once, and read by code, by
 * `--param k=v`, by help and by the digest of a task.
 *
 * @module
 */

export type ParamValue = number | boolean | string;

/** Every parameter with its value, in the order of declaration. */
export type Params = { readonly [name: string]: ParamValue };

/** One parameter: its default fixes its type. */
export interface ParamSpec {
  readonly default: ParamValue;
  readonly summary: string;
  readonly integer?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: ReadonlyArray<string>;
}

export type ParamSpecs = { readonly [name: string]: ParamSpec };

/** Why a parameter was refused; `known` is there where the name is unknown. */
export class ParamError extends RangeError {
  override readonly name = "ParamError";
  constructor(
    message: string,
    readonly param: string,
    readonly known?: ReadonlyArray<string>,
  ) {
    super(message);
  }
}

function checkNumber(
  name: string,
  spec: ParamSpec,
  value: number,
  given: ParamValue,
): number {
  const { min = -Infinity, max = Infinity } = spec;
  const fits = Number.isFinite(value) && value >= min && value <= max &&
    (!spec.integer || Number.isSafeInteger(value));
  if (fits) return value;
  const kind = spec.integer ? "an integer" : "a number";
  const low = min === -Infinity ? "" : ` from ${min}`;
  const high = max === Infinity ? "" : ` to ${max}`;
  throw new ParamError(
    `Cannot set ${name} to ${given}: not ${kind}${low}${high}`,
    name,
  );
}

function check(name: string, spec: ParamSpec, given: ParamValue): ParamValue {
  const wanted = typeof spec.default;
  let value = given;
  if (typeof given === "string" && wanted === "number") {
    value = given.trim() === "" ? NaN : Number(given);
  } else if (wanted === "boolean" && (given === "true" || given === "false")) {
    value = given === "true";
  }
  if (typeof value === "number" && wanted === "number") {
    return checkNumber(name, spec, value, given);
  }
  const type: string = typeof value;
  if (type !== wanted) {
    throw new ParamError(
      `Cannot set ${name} to ${JSON.stringify(given)}: not a ${wanted}`,
      name,
    );
  }
  if (spec.choices && !spec.choices.includes(String(value))) {
    const choices = spec.choices.join(", ");
    throw new ParamError(
      `Cannot set ${name} to ${JSON.stringify(given)}: not one of ${choices}`,
      name,
    );
  }
  return value;
}

/**
 * All parameters: those given (also as text), the rest by default.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const specs = { size: { default: 9, integer: true, min: 2, summary: "" } };
 * deepEqual(resolveParams(specs, { size: "5" }), { size: 5 });
 * ```
 */
export function resolveParams(
  specs: ParamSpecs,
  given: { readonly [name: string]: ParamValue } = {},
): Params {
  const names = Object.keys(specs);
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(specs, name)) {
      throw new ParamError(`Cannot set ${name}: unknown`, name, names);
    }
  }
  return Object.fromEntries(
    names.map((name) => [
      name,
      check(name, specs[name]!, given[name] ?? specs[name]!.default),
    ]),
  );
}

/** The parameter of most worlds that says how long an episode may be. */
export function horizonParam(
  steps: number,
  summary = "Steps of an episode",
): ParamSpec {
  return { default: steps, integer: true, min: 1, max: 10_000, summary };
}

/** A numeric parameter of `params`, which {@linkcode resolveParams} made. */
export function num(params: Params, name: string): number {
  return params[name] as number;
}
