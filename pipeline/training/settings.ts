/**
 * What a run is asked to do, once defaults are filled in: flags that are for one
 * objective alone, the model, how many updates, how long.
 *
 * @module
 */
import type { Aggregation } from "../../kernels/policy_loss.ts";
import { UsageError } from "../errors.ts";
import type { PackDescription } from "../pack_layout.ts";
import type { UpdateOptions } from "./update_flags.ts";

export const OBJECTIVES = ["ad", "dpt", "omnirl", "pg", "dqn"] as const;
export type ObjectiveName = typeof OBJECTIVES[number];

/** A model that is not taken from another run. */
export const MODEL = {
  width: 64,
  layers: 3,
  heads: 2,
  tokens: "step" as "step" | "three",
  positions: "rotary" as "rotary" | "learned",
};

/** Flags of `pg`. */
export const POLICY_GRADIENT = {
  "clip-low": 0.2,
  "clip-high": 0.2,
  "dual-clip": 3,
  aggregation: "token-mean" as Aggregation,
  entropy: 0,
  kl: 0,
  value: 0,
};

/** Flags of `dqn`. */
export const DQN = {
  gamma: 0.9,
  "gamma-trial": 0,
  "reward-scale": 1,
  relative: false,
  polyak: 0.1,
};

const OWN: Readonly<Partial<Record<ObjectiveName, object>>> = {
  pg: POLICY_GRADIENT,
  dqn: DQN,
};

const UPDATES = 1000;

type Some<D> = { readonly [K in keyof D]?: D[K] | undefined };
/** Flags that are for one objective alone. */
export type ObjectiveOptions =
  & Some<typeof POLICY_GRADIENT>
  & Some<typeof DQN>;

/** Defaults, with what was given in their place. */
export function filled<D extends object>(defaults: D, given: Some<D>): D {
  const pairs = Object.entries(defaults).map(([name, value]) =>
    [name, given[name as keyof D] ?? value] as const
  );
  return Object.fromEntries(pairs) as D;
}

/** Whether a flag was given; a switch that is off was not. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false;
}

function needNone(
  options: UpdateOptions,
  names: ReadonlyArray<string>,
  why: string,
): void {
  const given = options as { readonly [name: string]: unknown };
  const wrong = names.find((name) => isGiven(given[name]));
  if (wrong === undefined) return;
  throw new UsageError({ message: `Cannot use --${wrong} ${why}` });
}

/** What of the options makes a run the same run: all but where and how long. */
export type Settings =
  & Omit<
    UpdateOptions,
    "out" | "overwrite" | "save" | "epochs" | "until" | "from" | "updates"
  >
  & { readonly updates: number };

/** The updates that pass over all windows so many times. */
function updatesOf(
  { updates, epochs, batch, accumulate }: UpdateOptions,
  { windows }: PackDescription,
): number {
  if (epochs === undefined) return updates ?? UPDATES;
  if (updates !== undefined) {
    throw new UsageError({
      message: "Cannot use --epochs with --updates: one says how long",
    });
  }
  return Math.max(1, Math.ceil(epochs * windows / (batch * accumulate)));
}

/**
 * Fills in what was not given.
 *
 * @throws UsageError if a flag is given that is of no use here.
 */
export function settled(
  options: UpdateOptions,
  description: PackDescription,
): Settings {
  const { out: _, overwrite: _1, save: _2, ...kept } = options;
  const { epochs: _3, until: _4, from, ...rest } = kept;
  const objective = options.objective as ObjectiveName;
  const own = OWN[objective] ?? {};
  for (const [name, flags] of Object.entries(OWN)) {
    const others = Object.keys(flags).filter((flag) => !(flag in own));
    needNone(options, others, `with ${objective}: it is of ${name}`);
  }
  const model = from === undefined ? MODEL : {};
  const { relative, ...given } = rest;
  return {
    ...given,
    ...filled(model, given as Some<typeof model>),
    ...filled(own, rest as Some<typeof own>),
    ...("relative" in own && { relative }),
    updates: updatesOf(options, description),
  } as Settings;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** `90s`, `10m` or `1h` in seconds. */
export function secondsOf(until: string | undefined): number {
  if (until === undefined) return Infinity;
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smh])$/.exec(until) ?? [];
  if (count !== undefined) return Number(count) * UNITS[unit!]!;
  throw new UsageError({
    message:
      `Cannot set --until to "${until}": not a time such as 90s, 10m, 1h`,
  });
}
