/**
 * `credit`: returns within episodes and across them, and advantages among the
 * trials of a group. Everything else in a row passes as the bytes it came as.
 *
 * @module
 */
import {
  accumulate,
  type BatchMapper,
  batchMapper,
  mapBatches,
  type Transform,
} from "../jsonl.ts";
import type { OnBadLine } from "../lines.ts";
import { transform, type TransformStage } from "../stage.ts";
import { estimate, finish } from "./credit/estimate.ts";
import { flags } from "./credit/flags.ts";
import { addTrial, clearGroup, emptyGroup } from "./credit/group.ts";
import { grouper } from "./credit/grouping.ts";
import {
  type CreditOptions,
  creditOptions,
  isRowwise,
  noteOf,
} from "./credit/options.ts";
import { splicer } from "./credit/splice.ts";

/** Credit that follows from each row alone. */
function creditRows(options: CreditOptions, onBad?: OnBadLine): BatchMapper {
  const splice = splicer(noteOf(options), options.exact);
  const group = emptyGroup();
  const at = { first: 0, firstEpisode: 0 };
  return batchMapper((row, out) => {
    clearGroup(group);
    addTrial(group, row, options);
    const { returns, episodeReturns, advantages, episodeAdvantages } = group;
    const credited = [{ ...at, steps: returns, reflections: episodeReturns }];
    if (options.advantage !== "none") {
      estimate(group, options);
      finish(group, options);
      credited.push({
        ...at,
        steps: advantages,
        reflections: episodeAdvantages,
      });
    }
    splice(row, credited, out);
  }, onBad);
}

/** Credit that looks at the rows of a group together. */
function creditGroups(
  options: CreditOptions,
  onBad?: OnBadLine,
  explained?: string,
): Transform {
  return accumulate(
    "credit rows",
    () => grouper(options, onBad, explained),
  );
}

const groups = transform({
  name: "credit",
  summary: "Credit each step with returns and advantages, across episodes too",
  details:
    `Writes episodes[i].returns and episodes[i].reflection.return, and the
options as "credit". With g the return within an episode (--gamma), the forms are
  lamer         g + gamma^(steps left) * gamma_trial * G of the next episode
  paper         g + sum over later episodes m of gamma_trial^(m-n) * g of m
  orbit         the number of successful episodes, for every step
  differential  the paper's form over gains: each episode less the one before
A reflection is credited as the first step of the episode that follows it.

--advantage writes episodes[i].advantages and reflection.advantage as well: what a
step scores (--score) against the group (--group, rows that stand together; see
sort). m and d are mean and sample deviation of the group's entries (--pool), n
their number:
  grpo, dr-grpo, rloo   (s-m)/(d+1e-6), s-m, n/(n-1) (s-m)
  gigpo                 s-m, and the return against others seen at the same anchor
  pass-at-k             the lead of the best entry, 0 elsewhere
  remax                 s less the score of the sample that was played greedily
  reinforce++           the return, whitened; -baseline: s-m, whitened
  gae, vtrace           over time, from "values" (and "logprobs" of both policies)
With gae and vtrace the returns are their own (lambda-returns, targets of V-trace).
--advantage none leaves advantages that are there as they are. Numbers are printed
to nine decimals; --exact prints every bit.`,
  flags,
  operands: "[FILE|DIR…]",
  examples: [
    "retrial credit --gamma 0.95 --gamma-trial 0.9 trials.jsonl",
    "zcat trials.jsonl.gz | retrial credit --cross paper | jq .episodes[0].returns",
    "retrial credit --preset lamer-code trials.jsonl",
    "retrial credit --advantage grpo --score return --pool episodes trials.jsonl",
    "retrial credit --preset gigpo --explain dark-room-9x9-1f0c4a2b/3 trials.jsonl",
  ],
}, (given, onBad) => {
  const options = creditOptions(given);
  return isRowwise(options) && given.explain === undefined
    ? mapBatches(() => creditRows(options, onBad))
    : creditGroups(options, onBad, given.explain);
});

export const credit: TransformStage<"credit", typeof flags> = {
  ...groups,
  mapper: (given, onBad) => {
    const options = creditOptions(given);
    return isRowwise(options) && given.explain === undefined
      ? creditRows(options, onBad)
      : undefined;
  },
};
