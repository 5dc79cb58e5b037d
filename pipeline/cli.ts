/**
 * `retrial`: the table of stages as a program.
 *
 * @module
 */
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Fiber from "effect/Fiber";
import {
  type Chain,
  findStage,
  type Link,
  ownOptions,
  parseChain,
} from "./chain.ts";
import {
  EXIT,
  exitCode,
  isStageError,
  type StageError,
  UsageError,
} from "./errors.ts";
import { writeStdout } from "./files.ts";
import { completion, overview, stageHelp, worldHelp } from "./help.ts";
import { attempt } from "./jsonl.ts";
import { VERSION } from "./manifest.ts";
import { say } from "./progress.ts";
import { runChain } from "./run.ts";
import { stages } from "./stages.ts";

const INTERRUPTED = 130;

function print(text: string): Effect.Effect<void, StageError> {
  return writeStdout(new TextEncoder().encode(text));
}

function help(topic: string | undefined): Effect.Effect<void, StageError> {
  if (topic === undefined) return print(overview(stages));
  if (topic === "envs" || topic === "policies") return print(worldHelp(topic));
  return Effect.flatMap(
    attempt("find a stage", () => findStage(stages, topic)),
    (stage) => print(stageHelp(stage)),
  );
}

function complete(shell: string | undefined): Effect.Effect<void, StageError> {
  const script = completion(stages, shell);
  return script !== undefined ? print(script) : Effect.fail(
    new UsageError({ message: "Cannot complete: bash, zsh or fish expected" }),
  );
}

/** Whether a stage, with what it was given, loads a native library. */
function isNative(link: Link): boolean {
  const { native = false } = link.stage;
  return typeof native === "boolean" ? native : native(ownOptions(link));
}

/** Gives back what the chain will not need, before it starts. */
function dropPermissions(chain: Chain): void {
  if (!chain.links.some(isNative)) Deno.permissions.revokeSync({ name: "ffi" });
  Deno.permissions.revokeSync({ name: "net" });
  Deno.permissions.revokeSync({ name: "run" });
}

function main(words: ReadonlyArray<string>): Effect.Effect<void, StageError> {
  const [first, second] = words;
  const asked = words.includes("--")
    ? words.slice(0, words.indexOf("--"))
    : words;
  if (first === undefined || first === "--help" || first === "-h") {
    return help(undefined);
  }
  if (first === "--version" || first === "-V") return print(`${VERSION}\n`);
  if (first === "help") return help(second);
  if (first === "completion") return complete(second);
  if (asked.includes("--help") || asked.includes("-h")) {
    const then = asked.lastIndexOf("then", asked.findIndex(isHelp));
    return help(asked[then + 1]);
  }
  return Effect.flatMap(
    attempt("read the command line", () => parseChain(stages, words)),
    (chain) => {
      dropPermissions(chain);
      return runChain(chain, words);
    },
  );
}

function isHelp(word: string): boolean {
  return word === "--help" || word === "-h";
}

function report(error: StageError, words: ReadonlyArray<string>): void {
  if (error._tag === "ClosedPipe") return;
  say(`retrial: ${error.message}\n`);
  if (error._tag !== "UsageError" || error.message.includes("--help")) return;
  const stage = stages.find(({ name }) => name === words[0]);
  say(`see retrial ${stage ? `${stage.name} ` : ""}--help\n`);
}

function codeOf(
  exit: Exit.Exit<void, StageError>,
  words: ReadonlyArray<string>,
): number {
  if (Exit.isSuccess(exit)) return EXIT.done;
  if (Cause.hasInterruptsOnly(exit.cause)) return INTERRUPTED;
  const error = Cause.squash(exit.cause);
  if (isStageError(error)) {
    report(error, words);
    return exitCode(error);
  }
  say(`retrial: bug: ${Cause.pretty(exit.cause)}\n`);
  return EXIT.bug;
}

const words = Deno.args;
const stop = () => {
  Effect.runFork(Fiber.interrupt(fiber));
};
// Before the work starts, which may be long in coming back to the event loop.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, stop);
}
const fiber = Effect.runFork(main(words));
Deno.exit(codeOf(await Effect.runPromise(Fiber.await(fiber)), words));
