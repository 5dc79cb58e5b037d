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

/** What goes to a thread and comes back, to go again. */
interface Room {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly spare: ReadonlyArray<Filled>;
}

function roomOf(length: number): Room {
  return { bytes: new Uint8Array(length), spare: [] };
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
    (): Thread<Lines, CutLines> => thread(url),
  );
  const answers: Array<Promise<CutLines>> = [];
  const free: Array<Room> = [];
  let asked = 0;
  let room = roomOf(LINES);
  let batches: Array<Part> = [];
  let length = 0;
  const ask = () => {
    if (batches.length === 0) return;
    const transfer = [room.bytes.buffer, ...room.spare.map(bufferOf)];
    const { ask } = threads[asked++ % count]!;
    answers.push(ask({ job, batches, ...room }, transfer));
    room = free.pop() ?? roomOf(LINES);
    batches = [];
    length = 0;
  };
  const take = async () => {
    const made = await answers.shift()!;
    putTogether(made, job.wanted, into);
    onTally(made.tally);
    const { bytes, lots } = made;
    // Room for longer lines than that is rare, and let go.
    if (bytes.length > LINES) return;
    free.push({ bytes, spare: lots.map(({ lot }) => lot) });
  };
  const most = AHEAD * count;
  return {
    add: ({ bytes: own, place, offset, torn, release }) => {
      if (length + own.length > room.bytes.length) ask();
      if (own.length > room.bytes.length) room = roomOf(own.length);
      room.bytes.set(own, length);
      length += own.length;
      const part = { place, offset, length: own.length };
      batches.push({ ...part, ...(torn && { torn }) });
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
    stop: () => threads.forEach(({ stop }) => stop()),
  };
}
