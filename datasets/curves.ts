/**
 * Curves of what learners did, over several seeds.
 *
 * @module
 */
import type { Step } from "./steps.ts";

/**
 * A table of the mean of `value` by episode: over seeds, of each seed's mean, with
 * the lowest and the highest of them.
 */
export function curveOf(
  folders: ReadonlyArray<string>,
  { why, value, best, every }: {
    readonly why: string;
    /** A column of `episodes`, or an expression of them. */
    readonly value: string;
    /** Where the bar is full. */
    readonly best: number;
    /** Episodes of a row of the table; the first stands alone. */
    readonly every: number;
  },
): Step {
  const sql = `with seeds as (
       select (episodes.episode + ${every - 1}) // ${every} * ${every} as until,
         policy_params ->> 'run' as run, avg(${value}) as mean
       from episodes join trials using (trial) group by all)
     select until as "up to", round(avg(mean), 2) as mean,
       round(min(mean), 2) as lowest, round(max(mean), 2) as highest,
       bar(avg(mean), 0, ${best}, 40) as curve
     from seeds group by all order by all`;
  const played = folders.map((folder) => `${folder}/played`);
  return [why, ["query", sql, ...played, "--format", "table"]];
}
