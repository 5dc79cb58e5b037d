/**
 * Rows cut on several threads, and what comes of them put together in their order.
 *
 * @module
 */
import type { Batch } from "../../lines.ts";
import { bufferOf, type Filled } from "../../pack_layout.ts";
import { type Thread, thread } from "../../thread.ts";
import type { Tally } from "./cut.ts";
import type { Filler } from "./filler.ts";
import {
  type CutLines,
  type Job,
  type Lines,
  type Part,
  putTogether,
} from "./lots.ts";

/** Bytes of lines that a thread is given at once, about. */
const LINES = 2 ** 20;
/** What each thread may have before it: at what it is, and what comes next. */
const AHEAD = 2;

export interface CutThreads {
  readonly add: (batch: Batch) => void;
  /** Whether so much is on its way that more should wait for {@linkcode caughtUp}. */
  readonly isBehind: () => boolean;
  /** Puts together what comes until no more is on its way than may be. */
  readonly caughtUp: () => Promise<void>;
  /** Puts together all that is left. */
  readonly finish: () => Promise<void>;
  /** Ends the threads, whatever they are at. */
  readonly stop: () => void;
}

interface Working {
  readonly thread: Thread<Lines, CutLines>;
  /** Lots that it gave, to go back to it. */
  spare: Array<Filled>;
}

/**
 * Starts so many threads. What they cut goes to `into`; bounds of the job go up with
 * what they meet, and `onTally` hears what they did.
 */
export function cutThreads(
  count: number,
  job: Job,
  into: Filler,
  onTally: (tally: Tally) => void,
): CutThreads {
  const url = new URL("./cut_worker.ts", import.meta.url);
  const threads = Array.from(
    { length: count },
    (): Working => ({ thread: thread(url), spare: [] }),
  );
  const answers: Array<Promise<CutLines>> = [];
  const free: Array<Uint8Array<ArrayBuffer>> = [];
  let [asked, answered] = [0, 0];
  let bytes = new Uint8Array(LINES);
  let batches: Array<Part> = [];
  let length = 0;
  const ask = () => {
    if (batches.length === 0) return;
    const to = threads[asked++ % count]!;
    const { spare } = to;
    to.spare = [];
    answers.push(
      to.thread.ask(
        { job, bytes, batches, spare },
        [bytes.buffer, ...spare.map(bufferOf)],
      ),
    );
    bytes = free.pop() ?? new Uint8Array(LINES);
    batches = [];
    length = 0;
  };
  const take = async () => {
    const made = await answers.shift()!;
    putTogether(made, job.wanted, into);
    onTally(made.tally);
    const { spare } = threads[answered++ % count]!;
    spare.push(...made.lots.map(({ lot }) => lot));
    // Those of a longer line than that are rare.
    if (made.bytes.length === LINES) free.push(made.bytes);
  };
  const most = AHEAD * count;
  return {
    add: ({ bytes: own, place, offset, torn, release }) => {
      if (length + own.length > bytes.length) ask();
      if (own.length > bytes.length) bytes = new Uint8Array(own.length);
      bytes.set(own, length);
      length += own.length;
      const isTorn = torn !== undefined && { torn };
      batches.push({ place, offset, length: own.length, ...isTorn });
      release?.();
    },
    isBehind: () => answers.length > most,
    caughtUp: async () => {
      while (answers.length > most) await take();
    },
    finish: async () => {
      ask();
      while (answers.length > 0) await take();
    },
    stop: () => threads.forEach(({ thread }) => thread.stop()),
  };
}
