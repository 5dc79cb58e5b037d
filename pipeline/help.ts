/**
 * Help and completion, read off the table of stages.
 *
 * @module
 */
import { environments, policies } from "../envs/registry.ts";
import type { ParamSpecs } from "../envs/params.ts";
import { flagsOf } from "./chain.ts";
import type { Flag, Flags } from "./flags.ts";
import { VERSION } from "./manifest.ts";
import type { Stage } from "./stage.ts";

const KINDS = {
  source: "make rows",
  transform: "change rows",
  sink: "read rows",
  keeper: "keep datasets",
} as const;

function columns(
  pairs: ReadonlyArray<readonly [string, string]>,
): string {
  const width = Math.max(0, ...pairs.map(([left]) => left.length));
  return pairs.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`)
    .join("");
}

/** What `retrial --help` says. */
export function overview(stages: ReadonlyArray<Stage>): string {
  const groups = Object.entries(KINDS).map(([kind, title]) => {
    const members = stages.filter((stage) => stage.kind === kind);
    return `\n${title}\n${
      columns(members.map(({ name, summary }) => [name, summary]))
    }`;
  });
  return `retrial ${VERSION}: stored rollouts to in-context-RL datasets

usage: retrial STAGE [FLAGS] [FILE|DIR…] [then STAGE …]

Rows are trials, one JSON object a line; they come from files or standard input
and go to standard output or --out DIR. Stages join by | or, in one process, by
the word then.
${groups.join("")}
help
${
    columns([
      ["retrial STAGE --help", "what a stage does, its flags, examples"],
      ["retrial help envs", "environments and their parameters"],
      ["retrial help policies", "policies and their parameters"],
      ["retrial completion bash|zsh|fish", "completion for a shell, to source"],
    ])
  }`;
}

function flagLine(name: string, flag: Flag): readonly [string, string] {
  const value = flag.type === "switch" ? "" : ` ${flag.value ?? "VALUE"}`;
  const notes = [
    "required" in flag && flag.required ? "required" : "",
    "default" in flag && flag.default !== undefined
      ? `default ${flag.default}`
      : "",
    "choices" in flag && flag.choices ? flag.choices.join(", ") : "",
  ].filter((note) => note !== "");
  const end = notes.length > 0 ? ` (${notes.join("; ")})` : "";
  return [`--${name}${value}`, flag.summary + end];
}

/** What `retrial STAGE --help` says. */
export function stageHelp(stage: Stage): string {
  const { name, summary, details, operands, examples } = stage;
  const flags: Flags = flagsOf(stage);
  const list = Object.entries(flags).map(([flag, spec]) =>
    flagLine(flag, spec)
  );
  return `retrial ${name}: ${summary}

usage: retrial ${name} [FLAGS]${operands ? ` ${operands}` : ""}
${details ? `\n${details}\n` : ""}${
    list.length > 0 ? `\nflags\n${columns(list)}` : ""
  }
examples
${examples.map((example) => `  ${example}\n`).join("")}`;
}

function paramList(specs: ParamSpecs): string {
  return columns(
    Object.entries(specs).map(([name, spec]) => {
      const choices = spec.choices ? ` (${spec.choices.join(", ")})` : "";
      return [`    ${name}=${spec.default}`, `${spec.summary}${choices}`];
    }),
  );
}

/** Policies of `generate` that are files, not programs. */
const RECORDED = `replay: Takes the actions of recorded trials
      from=FILE  Rows, or a dataset
onnx:RUN: A model that update trained (--policy onnx:runs/first)
      temperature=1   Of the choice among actions; 0 takes the largest, the default of models of Q-values
      tag=-1          Tag that each step bears; -1 for none
      logprobs=false  Record ln of the probability that actions were drawn with
`;

/** What `retrial help envs` and `retrial help policies` say. */
export function worldHelp(topic: "envs" | "policies"): string {
  const list = topic === "envs" ? environments : policies;
  const lines = list.map(({ name, summary, params }) =>
    `${name}: ${summary}\n${paramList(params)}`
  ).join("");
  return topic === "envs" ? lines : lines + RECORDED;
}

function bash(stages: ReadonlyArray<Stage>): string {
  const cases = stages.map((stage) => {
    const flags = Object.keys(flagsOf(stage)).map((name) => `--${name}`);
    return `    ${stage.name}) words="${[...flags, "then"].join(" ")}" ;;`;
  });
  const names = stages.map(({ name }) => name).join(" ");
  return `_retrial() {
  local word stage="" words="${names} help completion --help --version"
  local -i i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [[ $i -eq 1 || "\${COMP_WORDS[i-1]}" == then ]]; then stage="$word"; fi
  done
  if [[ "\${COMP_WORDS[COMP_CWORD-1]}" == then ]]; then stage=""; words="${names}"; fi
  case "$stage" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _retrial retrial
`;
}

function fish(stages: ReadonlyArray<Stage>): string {
  return stages.flatMap((stage) => [
    `complete -c retrial -n __fish_use_subcommand -a ${stage.name} -d '${
      stage.summary.replaceAll("'", "")
    }'`,
    ...Object.entries(flagsOf(stage)).map(([name, flag]) =>
      `complete -c retrial -n '__fish_seen_subcommand_from ${stage.name}' -l ${name}${
        flag.type === "switch" ? "" : " -r"
      } -d '${flag.summary.replaceAll("'", "")}'`
    ),
  ]).join("\n") + "\n";
}

/** A completion script; `undefined` for a shell that is not known. */
export function completion(
  stages: ReadonlyArray<Stage>,
  shell: string | undefined,
): string | undefined {
  switch (shell) {
    case "bash":
      return bash(stages);
    case "zsh":
      return `autoload -U +X bashcompinit && bashcompinit\n${bash(stages)}`;
    case "fish":
      return fish(stages);
  }
  return undefined;
}
