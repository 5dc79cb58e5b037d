/**
 * The demo: a dataset of learning histories on Frozen Lake, from worlds to
 * answers, and then a learner that gets better on rooms that it never saw, each
 * step as the command that it is.
 *
 * @module
 */
import { darkroomAd, SMALL } from "../darkroom-ad/learner.ts";
import { runSteps, say } from "../steps.ts";

const LOG = "datasets/step-log/steps.csv";

/** What is said before each step, and the words of the step. */
const STEPS: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ["Q-learning from scratch on 400 lakes, 200 episodes on each:", [
    ..."generate --env frozen-lake --tasks 400 --episodes 200".split(" "),
    ..."--policy q-learning --seed 7 --jobs 2".split(" "),
    ..."--out demo/lake --overwrite".split(" "),
  ]],
  ["The same again from its manifest, four shards of it, byte for byte:", [
    ..."replay demo/lake --sample 4".split(" "),
  ]],
  ["Nine lakes in ten to train on; no map is on both sides:", [
    ..."split demo/lake --parts train=0.9,test=0.1".split(" "),
    ..."--out demo/split --overwrite".split(" "),
  ]],
  ["Credit within episodes and across them, as LaMer's paper has it:", [
    ..."credit demo/split --gamma 0.95 --gamma-trial 0.9 --cross paper".split(
      " ",
    ),
    ..."--out demo/credited --overwrite".split(" "),
  ]],
  ["The learning curve, by DuckDB:", [
    "query",
    `select episode // 20 * 20 as from_episode,
       round(avg(success::int) filter (split = 'train'), 3) as train,
       round(avg(success::int) filter (split = 'test'), 3) as test,
       round(avg(steps), 2) as steps,
       round(avg(credited), 3) as credited,
       bar(avg(success::int), 0, 1, 40) as curve
     from episodes group by all order by all`,
    "demo/credited",
    "--format",
    "table",
  ]],
  ["Maps that are both trained and tested on (there must be none):", [
    "query",
    `select count(*) as shared from (
       select world from trials group by world
       having count(distinct split) > 1)`,
    "demo/split",
    "--format",
    "table",
  ]],
  [`Another program's log (${LOG}), one line a step, as trials:`, [
    ..."import --from steps --trial-by run --episode-by episode".split(" "),
    "--map",
    "t=step,observation=obs,action=act,reward=r,next_observation=next_obs,terminated=done,truncated=cut",
    ..."--env cliff-walking --policy sarsa".split(" "),
    LOG,
    ..."--out demo/cliff --overwrite".split(" "),
  ]],
  ["Its curve:", [
    "query",
    `select episode // 8 * 8 as from_episode,
       round(avg(return), 1) as return,
       round(avg(terminated::int), 2) as arrived
     from episodes group by all order by all`,
    "demo/cliff",
    "--format",
    "table",
  ]],
];

const NEXT = `
What to type next (retrial is: npx -y deno@2.9.6 task --quiet retrial):

  retrial show demo/credited
  retrial help envs
  retrial generate --env dark-room --tasks 3 --episodes 5 --policy optimal --seed 1
  retrial credit demo/lake --cross differential | jq -c .episodes[0].returns | head -3
  retrial filter --where 'successes > 150' demo/lake | retrial query 'select count(*) from trials'
  retrial explain demo/lake -- generate --env frozen-lake --param hole=0.3 --tasks 400
`;

await runSteps(STEPS);
const LEARNER = { size: SMALL, folder: "demo/learner", seed: 7, where: [] };
await runSteps(darkroomAd.steps(LEARNER));
await runSteps(darkroomAd.curve([LEARNER.folder], LEARNER));
say(NEXT);
