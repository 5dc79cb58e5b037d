/**
 * `filter`: the rows that an expression holds for, each as the bytes it came as.
 *
 * @module
 */
import { batchMapper, putRow } from "../jsonl.ts";
import { rowTransform } from "../stage.ts";
import { predicate } from "./predicate.ts";

export const filter = rowTransform({
  name: "filter",
  summary: "Keep the rows for which an expression is true",
  details:
    `The expression is in the Common Expression Language (github.com/google/cel-spec):
== != < <= > >= + - * / % in && || ! ?: size() has() matches() and the macros
all, exists, filter, map. It sees the fields of the row (id, task, sample, seed,
policy, episodes, credit, tags, boundary; null where absent) and
  steps            steps of the whole trial
  length           list: steps of each episode
  episode_returns  list: sum of rewards of each episode, undiscounted
  trial_return     their sum
  successes        number of successful episodes
with sum, mean, min and max over lists of numbers. Integers and decimals compare
and add freely; / of two integer literals or sizes drops the remainder. A field
that a row does not have is an error of that row: ask has(task.world) first.`,
  flags: {
    where: {
      type: "text",
      required: true,
      value: "EXPR",
      summary: "the condition, true or false of each row",
    },
  },
  operands: "[FILE|DIR…]",
  examples: [
    "retrial filter --where 'successes > 0 && steps < 200' trials.jsonl",
    `retrial filter --where 'task.params.size == 9 && policy.name == "random"' trials.jsonl`,
    "retrial filter --where 'max(episode_returns) > mean(episode_returns)' trials.jsonl",
  ],
}, (options, onBad) => {
  const holds = predicate(options.where);
  return batchMapper((row, out) => {
    if (holds(row)) putRow(row, out);
  }, onBad);
});
