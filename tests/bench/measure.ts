/**
 * What benches share: runs, medians, and a line for each.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { run } from "../../mod.ts";

const WARM_UPS = 2;
const RUNS = 7;

/** Something measured: `work` is how many of `unit` it does. */
export interface Contender {
  readonly name: string;
  readonly run: () => Promise<void> | void;
}

/** The middle of some numbers. */
export function median(numbers: ReadonlyArray<number>): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

async function seconds(run: Contender["run"]): Promise<number> {
  const started = performance.now();
  await run();
  return (performance.now() - started) / 1000;
}

/** A result, as benches print it. */
export interface Result {
  readonly bench: string;
  readonly name: string;
  readonly rate: number;
  readonly unit: string;
  /** Lowest and highest rate of all runs. */
  readonly range: readonly [number, number];
  /** Against the first contender. */
  readonly ratio: number;
}

/**
 * Runs contenders in turn, so that whatever else the machine does falls on all
 * of them; rates are `work / seconds`, the median of seven runs.
 */
export async function compare(
  bench: string,
  { work, unit }: { readonly work: number; readonly unit: string },
  contenders: ReadonlyArray<Contender>,
): Promise<ReadonlyArray<Result>> {
  const times = contenders.map((): Array<number> => []);
  for (let i = 0; i < WARM_UPS + RUNS; i++) {
    for (const [c, contender] of contenders.entries()) {
      const time = await seconds(contender.run);
      if (i >= WARM_UPS) times[c]!.push(time);
    }
  }
  const first = median(times[0]!);
  return contenders.map(({ name }, c) => {
    const middle = median(times[c]!);
    return {
      bench,
      name,
      unit,
      rate: work / middle,
      range: [work / Math.max(...times[c]!), work / Math.min(...times[c]!)],
      ratio: first / middle,
    };
  });
}

function shown(x: number): string {
  return x >= 100 ? x.toFixed(0) : x.toPrecision(3);
}

/** One line a result, on stdout. */
export function report(results: ReadonlyArray<Result>): void {
  for (const { bench, name, rate, unit, range, ratio } of results) {
    const [low, high] = range.map(shown);
    const line = `${bench.padEnd(34)} ${name.padEnd(26)} ${
      shown(rate).padStart(8)
    } ${unit.padEnd(12)} (${low} to ${high})  x${ratio.toFixed(2)}\n`;
    Deno.stdout.writeSync(new TextEncoder().encode(line));
  }
}

/** A command line, run in this process. */
export function command(words: string): () => Promise<void> {
  return () => Effect.runPromise(run(words.split(" ")));
}

/** The program as a process of its own; gives seconds and peak memory in MB. */
export async function child(
  words: ReadonlyArray<string>,
  stdin?: string,
): Promise<{ readonly seconds: number; readonly megabytes: number }> {
  const program = new URL("../../pipeline/cli.ts", import.meta.url).pathname;
  const shell = `/usr/bin/time -f '%e %M' ${Deno.execPath()} run --no-check ` +
    `-P=retrial ${program} ${words.map((word) => `'${word}'`).join(" ")} ` +
    `${stdin ? `< ${stdin}` : ""} > /dev/null`;
  const { stderr, success } = await new Deno.Command("bash", {
    args: ["-c", shell],
    cwd: new URL("../..", import.meta.url).pathname,
    stderr: "piped",
  }).output();
  const text = new TextDecoder().decode(stderr).trim();
  if (!success) throw new Error(text);
  const [time, kilobytes] = text.split("\n").at(-1)!.split(" ").map(Number);
  return { seconds: time!, megabytes: kilobytes! / 1000 };
}
