/**
 * The options of `compose`.
 *
 * @module
 */
import { ORDERS } from "../../../kernels/packing/sets.ts";
import { UsageError } from "../../errors.ts";
import type { Flags, Options } from "../../flags.ts";
import { SEED_FLAG } from "../../keyed.ts";

export const flags = {
  "steps": {
    type: "count",
    min: 1,
    value: "C",
    summary: "put sets together until a context has C steps",
  },
  "sets": {
    type: "count",
    min: 1,
    value: "N",
    summary: "put at most N sets together (1, or as many as --steps takes)",
  },
  "set": {
    type: "text",
    value: "A..B",
    summary: "episodes of a set, drawn anew for each; all if not given",
  },
  "every": {
    type: "count",
    default: 1,
    min: 1,
    value: "K",
    summary: "draw from each K-th episode alone",
  },
  "success-odds": {
    type: "number",
    default: 1,
    min: 0,
    value: "X",
    summary:
      "how much likelier a successful episode is drawn than a failed one",
  },
  "order": {
    type: "text",
    choices: ORDERS,
    default: "played",
    value: "HOW",
    summary: "order of the episodes in a set",
  },
  "burstiness": {
    type: "number",
    default: 0,
    min: 0,
    max: 1,
    value: "P",
    summary: "share of contexts whose sets are all of one trial",
  },
  "seed": SEED_FLAG,
} as const satisfies Flags;

export type ComposeOptions = Options<typeof flags>;

/** Fewest and most episodes of a set. */
export interface SetSize {
  readonly low: number;
  readonly high: number;
}

/** Reads `--set`: one count, or two with dots between. */
export function setSize(text: string | undefined): SetSize {
  if (text === undefined) return { low: Infinity, high: Infinity };
  const [, low, high = low] = /^(\d+)(?:\.\.(\d+))?$/.exec(text) ?? [];
  const size = { low: Number(low), high: Number(high) };
  if (size.low >= 1 && size.low <= size.high) return size;
  throw new UsageError({
    message: `Cannot set --set to ${
      JSON.stringify(text)
    }: not a count from 1, or two such as 20..40`,
  });
}
