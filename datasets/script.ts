/**
 * Scripts of recipes: flags, help, errors and exit codes as the program has them.
 *
 * @module
 */
import { exitCode, isStageError } from "../pipeline/errors.ts";
import { type Flags, type Options, parseFlags } from "../pipeline/flags.ts";
import { say } from "../pipeline/progress.ts";

function helpOf(name: string, summary: string, flags: Flags): string {
  const width = Math.max(...Object.keys(flags).map((flag) => flag.length));
  const lines = Object.entries(flags).map(([flag, { summary, ...rest }]) => {
    const note = "default" in rest ? ` (default ${rest.default})` : "";
    return `  --${flag.padEnd(width)}  ${summary}${note}`;
  });
  return `deno task ${name}: ${summary}\n\nflags\n${lines.join("\n")}\n`;
}

/** Runs the script that `deno task NAME` is; what it gives is the exit code. */
export async function script<F extends Flags>(
  name: string,
  summary: string,
  flags: F,
  main: (options: Options<F>) => number | Promise<number>,
): Promise<void> {
  if (Deno.args.includes("--help")) return say(helpOf(name, summary, flags));
  try {
    const { options } = parseFlags(Deno.args, flags);
    // parseFlags has just made them what the flags say.
    Deno.exitCode = await main(options as unknown as Options<F>);
  } catch (error) {
    if (!isStageError(error)) throw error;
    say(`${name}: ${error.message}\n`);
    Deno.exitCode = exitCode(error);
  }
}
