/** Rows to label, and what their labels are. */
import { checkOptions } from "../../../pipeline/flags.ts";
import type { AnyOptions } from "../../../pipeline/flags.ts";
import type { Trial } from "../../../pipeline/schema.ts";
import { generate } from "../../../pipeline/sources/generate.ts";
import { label } from "../../../pipeline/transforms/label.ts";
import { apply, collect, failure } from "../trials.ts";

/** Rows of a policy in an environment. */
export function rowsOf(given: AnyOptions): Promise<string> {
  const options = checkOptions(generate.flags, { seed: "5", ...given });
  // checkOptions has made them what the flags say.
  return collect(generate.open(options as never, []));
}

export function parse(text: string): Array<Trial> {
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

export function labelsOf(trial: Trial, e: number, name: string): Array<number> {
  return trial.episodes[e]!.labels![name] as Array<number>;
}

/** What label says of the first row after a change to its text. */
export async function refusal(
  given: AnyOptions,
  change: (text: string) => string,
  options: AnyOptions = {},
): Promise<string> {
  const rows = await rowsOf({ tasks: 1, policy: "random", ...given });
  const changed = change(rows);
  return (await failure(apply(label, options, changed))).message;
}
