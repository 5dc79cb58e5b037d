/**
 * Progress of long work, on stderr, where that is a terminal.
 *
 * @module
 */
import type { Counts } from "./lines.ts";

const utf8 = new TextEncoder();
const INTERVAL_MS = 200;

/** Says something to a person. */
export function say(text: string): void {
  Deno.stderr.writeSync(utf8.encode(text));
}

/** Counts what was done, and shows it. */
export interface Progress {
  readonly add: (counts: Counts) => void;
  /** Takes the line away. */
  readonly finish: () => void;
}

function compact(n: number): string {
  const units = ["", "k", "M", "G", "T"];
  let [value, unit] = [n, 0];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)}${
    units[unit]
  }`;
}

/** Seconds as people say them. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

const SILENT: Progress = { add: () => {}, finish: () => {} };

/**
 * A line that is written over as work goes on; `expected` steps, or 0 where
 * nobody knows. `now` tells milliseconds.
 */
export function progress(
  expected: number,
  now: () => number = () => performance.now(),
): Progress {
  if (!Deno.stderr.isTerminal()) return SILENT;
  const started = now();
  let [rows, steps, shown] = [0, 0, -Infinity];
  const show = () => {
    const seconds = (now() - started) / 1000;
    const rate = steps / Math.max(seconds, 1e-3);
    const share = expected > 0 ? Math.min(1, steps / expected) : 0;
    const left = share > 0 ? seconds * (1 - share) / share : 0;
    const end = share > 0
      ? `, at most ${Math.round(100 * share)} % done, ${duration(left)} left`
      : "";
    say(
      `\r\x1b[K${compact(rows)} rows, ${compact(steps)} steps, ${
        compact(rate)
      } steps/s${end}`,
    );
  };
  return {
    add: (counts) => {
      rows += counts.rows;
      steps += counts.steps;
      if (now() - shown < INTERVAL_MS) return;
      shown = now();
      show();
    },
    finish: () => {
      if (shown > -Infinity) say("\r\x1b[K");
    },
  };
}
