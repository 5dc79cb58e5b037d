/**
 * One trial as a person reads it.
 *
 * @module
 */
import type {
  Episode,
  ObservationValue,
  ParamRecord,
  Trial,
} from "../schema.ts";

const WIDTH = 80;
const INDENT = "    ";

/** What a drawing of the task looks like, where its environment is known. */
export type Render = (trial: Trial) => string | undefined;

/** Text from data must not be able to steer a terminal. */
export function visible(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g,
    (code) => JSON.stringify(code).slice(1, -1).replace(/^(.)$/s, hex),
  );
}

/** JSON leaves the codes from 127 as they are. */
function hex(code: string): string {
  return `\\u${code.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** As many digits as tell numbers apart at a glance. */
function short(x: number): string {
  return String(Number(x.toPrecision(6)));
}

function params(record: ParamRecord): string {
  return Object.entries(record).map(([name, value]) =>
    `${name}=${typeof value === "number" ? short(value) : value}`
  ).join(" ");
}

function indented(text: string): string {
  return text.replace(/\n$/, "").replace(/^/gm, INDENT) + "\n";
}

function header(trial: Trial): string {
  const { task, policy, seed, credit } = trial;
  const line = (name: string, ...parts: ReadonlyArray<string | undefined>) => {
    const text = parts.filter((part) => part !== undefined && part !== "");
    return text.length === 0 ? "" : `  ${name.padEnd(8)}${text.join("  ")}\n`;
  };
  return [
    `${trial.id}\n`,
    line("env", `${task.env} ${task.version}`, params(task.params)),
    line(
      "task",
      task.seed && `seed ${task.seed}`,
      task.world && `world ${task.world}`,
    ),
    line("policy", policy && policy.name, policy && params(policy.params)),
    line("seed", seed),
    line("credit", credit && JSON.stringify(credit)),
  ].join("");
}

function compact(value: ObservationValue): string {
  if (typeof value === "number") return short(value);
  return typeof value === "string" ? value : `[${value.map(short).join(" ")}]`;
}

function wrapped(words: ReadonlyArray<string>): string {
  const lines: Array<string> = [];
  let line = "";
  for (const word of words) {
    if (line !== "" && line.length + word.length + 1 > WIDTH - INDENT.length) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line].map((line) => `${INDENT}${line}\n`).join("");
}

/** `2+1` is action 2 with reward 1. */
function actionText(episode: Episode, t: number): string {
  const reward = episode.rewards[t]!;
  const gained = reward === 0 ? "" : `${reward > 0 ? "+" : ""}${short(reward)}`;
  return `${compact(episode.actions[t]!)}${gained}`;
}

/** `40 ─2→ 41 ─2+1→ 42`, for what is short. */
function path(episode: Episode, steps: number): string {
  const { observations, actions } = episode;
  const words = [compact(observations[0]!)];
  for (let t = 0; t < steps; t++) {
    words.push(`─${actionText(episode, t)}→ ${compact(observations[t + 1]!)}`);
  }
  const rest = actions.length - steps;
  return wrapped(rest > 0 ? [...words, `… ${rest} more`] : words);
}

/** What was seen and said, each on lines of its own. */
function dialogue(episode: Episode, steps: number): string {
  const { observations, actions } = episode;
  let text = indented(compact(observations[0]!));
  for (let t = 0; t < steps; t++) {
    text += `  > ${actionText(episode, t)}\n`;
    text += indented(compact(observations[t + 1]!));
  }
  const rest = actions.length - steps;
  return rest > 0 ? `${text}${INDENT}… ${rest} more\n` : text;
}

function isText(episode: Episode): boolean {
  return [...episode.observations, ...episode.actions].some((value) =>
    typeof value === "string"
  );
}

function outcome({ terminated, truncated, success }: Episode): string {
  const end = terminated
    ? "terminated"
    : truncated
    ? "truncated"
    : "unfinished";
  return success === undefined
    ? end
    : `${end}, ${success ? "success" : "failure"}`;
}

function portrayEpisode(episode: Episode, e: number, limit: number): string {
  const { rewards, returns, reflection } = episode;
  const total = rewards.reduce((sum, reward) => sum + reward, 0);
  const head = [
    `episode ${e}`,
    `return ${short(total)}`,
    `${rewards.length} ${rewards.length === 1 ? "step" : "steps"}`,
    outcome(episode),
    ...returns?.length ? [`credited ${short(returns[0]!)}`] : [],
  ].join("  ");
  const steps = Math.min(rewards.length, limit);
  const body = isText(episode)
    ? dialogue(episode, steps)
    : path(episode, steps);
  const credited = returns?.length
    ? `  returns\n${wrapped(returns.slice(0, steps).map(short))}`
    : "";
  const text = reflection ? `  reflection\n${indented(reflection.text)}` : "";
  return `\n${head}\n${body}${credited}${text}`;
}

/** The whole trial; of each episode `steps` steps at most. */
export function portray(trial: Trial, steps: number, render?: Render): string {
  const drawing = render?.(trial);
  const text = [
    header(trial),
    drawing === undefined ? "" : `\n${indented(drawing)}`,
    ...trial.episodes.map((episode, e) => portrayEpisode(episode, e, steps)),
  ].join("");
  return visible(text);
}
