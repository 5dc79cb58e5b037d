/** What models are shown before they play, and the tests of papers. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import * as fs from "node:fs";
import type { Weights } from "../../kernels/onnx/parameters.ts";
import {
  parametersOf,
  type TransformerConfig,
} from "../../kernels/onnx/transformer.ts";
import type { Episode, TaskRow, Trial } from "../../pipeline/schema.ts";
import { succeeded, withFolder } from "../shell.ts";
import {
  checkReplay,
  columnOf,
  logSoftmax,
  modelOf,
  near,
  play,
  randomWeights,
  run,
  saidOf,
  tableWeights,
  trialsOf,
  writeModel,
} from "./models.ts";

/**
 * Holds the logprobs of a trial against one pass of the model over all that it
 * saw, the prompt first; forced actions are those of `forced` episodes.
 */
async function checkLogprobs(
  config: TransformerConfig,
  weights: Weights,
  trial: Trial,
  { before = [] as ReadonlyArray<Episode>, forced = 0, tag = config.tags } = {},
): Promise<void> {
  const said = await saidOf(
    config,
    weights,
    [...before, ...trial.episodes],
    tag,
  );
  const skipped = columnOf({ episodes: before }, "actions").length;
  const free =
    columnOf({ episodes: trial.episodes.slice(0, forced) }, "actions")
      .length;
  const logprobs = columnOf(trial, "logprobs");
  const temperature = Number(trial.policy.params.temperature);
  columnOf(trial, "actions").forEach((action, i) => {
    if (i < free) return;
    const expected = logSoftmax(said[skipped + i]!, temperature, action);
    near(logprobs[i]!, expected, 2e-5);
  });
}

const LAKES = "--env frozen-lake --param max-size=4 --param horizon=4";

Deno.test("a model plays on from what it was shown, each trial from its own", () =>
  withFolder(async (folder) => {
    const config = modelOf(25, 4, { layers: 2 });
    const weights = randomWeights(config);
    writeModel(`${folder}/r`, config, weights);
    const shown = trialsOf(succeeded(
      await run(
        folder,
        `generate --env frozen-lake --param max-size=5 --param horizon=10 --tasks 6 --steps 9 --policy optimal --seed 5 --out shown`,
      ).then(() => run(folder, "sample --fraction 1 shown")),
    ));
    const lengths = shown.map((trial) => columnOf(trial, "actions").length);
    ok(new Set(lengths).size > 1, `${lengths}`);
    ok(shown.every((trial) => columnOf(trial, "rewards").includes(1)));
    const text = "r shown --episodes 3 --logprobs --prompt shown";
    const trials = await play(folder, text);
    equal(trials.length, 6);
    for (const [i, trial] of trials.entries()) {
      const prompt = shown[i]!;
      equal(trial.task.id, prompt.task.id);
      equal(trial.policy.params.prompt, prompt.id);
      equal(trial.episodes.length, 3);
      await checkLogprobs(config, weights, trial, { before: prompt.episodes });
    }
    await checkReplay(folder, trials);
    const alone = await play(folder, `${text} --parallel 1`);
    deepEqual(alone, trials);
    succeeded(await run(folder, `evaluate ${text} --out played`));
    fs.mkdirSync(`${folder}/elsewhere`);
    const again = await run(`${folder}/elsewhere`, "replay ../played");
    match(again.err, /come out the same/);
    const other = await run(
      folder,
      `generate ${LAKES} --tasks 2 --seed 6 --out other`,
    );
    succeeded(other);
    const lost = await run(
      folder,
      "evaluate r other --episodes 1 --prompt shown",
    );
    equal(lost.code, 65);
    match(lost.err, /shown holds no trial on task frozen-lake-3to4-/);
  }));

Deno.test("in-distribution: fifty lakes, thirty episodes, with the ramp and without", () =>
  withFolder(async (folder) => {
    const config = modelOf(25, 4);
    writeModel(`${folder}/r`, config, randomWeights(config));
    const trials = await play(folder, "r --protocol in-distribution --seed 2");
    equal(trials.length, 100);
    equal(new Set(trials.map(({ task }) => task.world)).size, 50);
    for (const { task, policy, episodes, id, sample } of trials) {
      equal(episodes.length, 30);
      equal(id, `${task.id}/${sample}`);
      equal(policy.params["warm-up"], sample === 0 ? 20 : 0);
      equal(policy.params.temperature, 0);
      const { "min-size": low, "max-size": high, hole, goal, start } =
        task.params;
      deepEqual([low, high, hole, start, goal], [3, 5, 0.2, 0.1, 0.1]);
      equal(task.params["min-hops"], 4);
    }
    equal(new Set(trials.map(({ id }) => id)).size, 100);
    await checkReplay(folder, trials.slice(0, 10));
    const few = await play(
      folder,
      "r --protocol in-distribution --tasks 2 --episodes 3 --warm-up 0 --samples 3 --temperature 1 --param hole=0.1",
    );
    equal(few.length, 6);
    for (const { policy, task, episodes } of few) {
      equal(episodes.length, 3);
      equal(policy.params["warm-up"], undefined);
      equal(policy.params.temperature, 1);
      equal(task.params.hole, 0.1);
    }
  }));

Deno.test("out-of-distribution: a model of small lakes says what it lacks", () =>
  withFolder(async (folder) => {
    const small = modelOf(25, 4);
    writeModel(`${folder}/small`, small, randomWeights(small));
    const refused = await run(
      folder,
      "evaluate small --protocol out-of-distribution",
    );
    equal(refused.code, 65);
    match(
      refused.err,
      /has 49 observations, and the model knows 25; .*packs of --observations 49/,
    );
    const large = modelOf(49, 4);
    writeModel(`${folder}/large`, large, randomWeights(large));
    const trials = await play(
      folder,
      "large --protocol out-of-distribution --tasks 3 --episodes 2",
    );
    equal(trials.length, 6);
    for (const { task: { params } } of trials) {
      deepEqual([params["min-size"], params["max-size"]], [6, 7]);
    }
  }));

/** A note that a joined trial has of each stretch. */
interface Note {
  readonly episode: number;
  readonly trial: string;
  readonly task: string;
  readonly seed: string;
  readonly drawn: TaskRow;
}

/** The stretches of a joined trial, as trials. */
function stretches({ boundary, episodes }: Trial) {
  const notes = boundary as ReadonlyArray<Note>;
  return notes.map(({ episode, drawn: task, seed }, i) => ({
    task,
    seed,
    episodes: episodes.slice(episode, notes[i + 1]?.episode),
  }));
}

Deno.test("non-stationary: the lake is another after thirty episodes, the context goes on", () =>
  withFolder(async (folder) => {
    const config = modelOf(25, 4);
    const weights = randomWeights(config);
    writeModel(`${folder}/r`, config, weights);
    const text = "r --protocol non-stationary --tasks 3 --logprobs";
    const trials = await play(folder, text);
    equal(trials.length, 6);
    for (const [i, trial] of trials.entries()) {
      equal(trial.episodes.length, 60);
      match(trial.task.id, /^joined-[0-9a-f]{16}$/);
      equal(trial.sample, i % 2);
      const notes = trial.boundary as ReadonlyArray<Note>;
      deepEqual(notes.map(({ episode }) => episode), [0, 30]);
      equal(trial.id, `${notes[0]!.task}/${i % 2}+`);
      for (const { task, trial, drawn } of notes) {
        equal(drawn.id, task);
        equal(trial, `${task}/${i % 2}`);
      }
      ok(notes[0]!.drawn.world !== notes[1]!.drawn.world);
      // Not begun anew: all is the model's own, with nothing left to chance.
      const late = columnOf({ episodes: trial.episodes.slice(20) }, "logprobs");
      ok(late.every((x) => x === 0));
    }
    await checkReplay(folder, trials.flatMap(stretches));
    // And whole, by its notes.
    await checkReplay(folder, trials);
    const drawn = { ...trials[0]!, boundary: [{ episode: 0 }] };
    fs.writeFileSync(`${folder}/bare.jsonl`, JSON.stringify(drawn) + "\n");
    const bare = "generate --policy replay --policy-param from=bare.jsonl";
    match((await run(folder, bare)).err, /line 1: task.seed is missing/);
    // The names of joined tasks are those that compose gives.
    fs.writeFileSync(
      `${folder}/parts.jsonl`,
      stretches(trials[1]!).map((part) =>
        JSON.stringify({ ...part, id: part.task.id, sample: 0 }) + "\n"
      ).join(""),
    );
    const composed = await run(folder, "compose --sets 2 parts.jsonl");
    const [joined] = trialsOf(succeeded(composed));
    equal(joined!.task.id, trials[1]!.task.id);
    deepEqual(joined!.task, trials[1]!.task);
    const restarted = await play(folder, `${text} --restart-warm-up`);
    const [ramp, none] = restarted;
    equal(ramp!.policy.params["restart-warm-up"], true);
    deepEqual(none, trials[1]);
    for (const e of [30, 31]) {
      for (const x of ramp!.episodes[e]!.logprobs!) near(x, -Math.log(4));
    }
  }));

Deno.test("what came before a change is in the model's context after it", () =>
  withFolder(async (folder) => {
    const config = modelOf(25, 4, { layers: 2 });
    const weights = randomWeights(config);
    writeModel(`${folder}/r`, config, weights);
    const trials = await play(
      folder,
      `r ${LAKES} --tasks 4 --episodes 8 --change 3 --warm-up 2 --temperature 2 --logprobs`,
    );
    equal(trials.length, 8);
    for (const trial of trials.filter(({ sample }) => sample === 1)) {
      await checkLogprobs(config, weights, trial);
    }
  }));

Deno.test("stitching: one path is shown to the goal, one into a hole", () =>
  withFolder(async (folder) => {
    const config = modelOf(24, 4);
    const [down, right] = [1, 2];
    const table = { 8: right, 9: right, 10: down, 14: down, 18: down };
    writeModel(`${folder}/r`, config, tableWeights(config, table));
    const [trial, ...rest] = await play(folder, "r --protocol stitching");
    equal(rest.length, 0);
    deepEqual(
      trial!.episodes,
      Array.from({ length: 5 }, () => ({
        observations: [8, 9, 10, 14, 18, 22],
        actions: [right, right, down, down, down],
        rewards: [0, 0, 0, 0, 1],
        terminated: true,
        truncated: false,
        success: true,
      })),
    );
    equal(
      trial!.policy.params.prompt,
      "2-6-10-14-18-22 8-9-10-11",
    );
    await checkReplay(folder, [trial!]);
    const free = modelOf(24, 4, { layers: 2 });
    const weights = randomWeights(free);
    writeModel(`${folder}/free`, free, weights);
    const [played] = await play(
      folder,
      "free --protocol stitching --temperature 3 --episodes 1 --param horizon=40 --logprobs",
    );
    const episode = (
      observations: Array<number>,
      action: number,
      last: number,
    ) => ({
      observations,
      actions: observations.slice(1).map(() => action),
      rewards: observations.slice(1).map((_, i) =>
        i === observations.length - 2 ? last : 0
      ),
      terminated: true,
      truncated: false,
    });
    await checkLogprobs(free, weights, played!, {
      before: [
        episode([2, 6, 10, 14, 18, 22], down, 1),
        episode([8, 9, 10, 11], right, 0),
      ],
    });
  }));

Deno.test("evaluate says what does not go together", () =>
  withFolder(async (folder) => {
    const config = modelOf(25, 4);
    writeModel(`${folder}/r`, config, randomWeights(config));
    succeeded(await run(folder, `generate ${LAKES} --tasks 3 --out d`));
    const say = async (text: string) => {
      const { code, err } = await run(folder, `evaluate ${text}`);
      return `${code} ${err}`;
    };
    match(await say("r d"), /^2 .*without --episodes, or a --protocol/);
    match(await say("r --episodes 1"), /^2 .*a run, and files of rows/);
    match(
      await say("r d --episodes 1 --tasks 3"),
      /^2 .*--tasks or --param without --env/,
    );
    match(
      await say(`r ${LAKES} --episodes 1`),
      /^2 .*--env frozen-lake without --tasks/,
    );
    match(
      await say(`r d ${LAKES} --tasks 1 --episodes 1`),
      /^2 .*on the tasks of d and on/,
    );
    match(
      await say("r d --episodes 3 --change 3"),
      /^2 .*a change after episode 3 of 3/,
    );
    match(
      await say("r d --episodes 3 --change 1"),
      /^65 .*3 tasks do not go by two/,
    );
    match(
      await say("r d --episodes 3 --restart-warm-up"),
      /^2 .*without --change and --warm-up/,
    );
    match(
      await say("r --protocol stitching --env dark-room"),
      /^2 .*it has a map of its own/,
    );
    match(
      await say("r d --episodes 1 --tag 0"),
      /^65 .*tag 0: the model knows no tags/,
    );
    match(
      await say("r --env dark-room --tasks 1 --episodes 1"),
      /^65 .*has 81 observations, .*--observations 81/,
    );
    const row = fs.readFileSync(
      `${folder}/d/data/train-00001-of-00003.jsonl`,
      "utf8",
    );
    fs.writeFileSync(
      `${folder}/odd.jsonl`,
      row +
        row.replaceAll("frozen-lake-3", "x-3").replace(
          '"env":"frozen-lake"',
          '"env":"pond"',
        ),
    );
    match(
      await say("r odd.jsonl --episodes 1"),
      /^65 .*odd.jsonl: line 2: task.env is pond/,
    );
    const learned = modelOf(25, 4, { positions: "learned", context: 5 });
    writeModel(`${folder}/l`, learned, randomWeights(learned));
    match(
      await say("l d --episodes 20"),
      /^65 .*after 5 steps: the model has learned positions/,
    );
  }));

Deno.test("each step bears the tag that was asked for, or none", () =>
  withFolder(async (folder) => {
    const config = modelOf(25, 4, { tags: 3 });
    const weights = randomWeights(config);
    writeModel(`${folder}/r`, config, weights);
    const text = `r ${LAKES} --tasks 20 --episodes 4 --logprobs`;
    for (const tag of [0, 2]) {
      for (const trial of await play(folder, `${text} --tag ${tag}`)) {
        equal(trial.policy.params.tag, tag);
        await checkLogprobs(config, weights, trial, { tag });
      }
    }
    const generated = trialsOf(succeeded(
      await run(
        folder,
        `generate ${LAKES} --tasks 3 --episodes 4 --policy onnx:r --policy-param tag=1 --policy-param logprobs=true`,
      ),
    ));
    for (const trial of generated) {
      equal(trial.policy.params.tag, 1);
      await checkLogprobs(config, weights, trial, { tag: 1 });
    }
    const { shape } = parametersOf(config).find(({ name }) =>
      name === "embed.tag"
    )!;
    // The row behind those of the tags is that of none.
    if (shape[0] === 4) {
      for (const trial of await play(folder, text)) {
        equal(trial.policy.params.tag, undefined);
        await checkLogprobs(config, weights, trial, { tag: 3 });
      }
    }
  }));
