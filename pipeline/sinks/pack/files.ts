/**
 * The files of a packed set. One is written and hashed, on threads of the host,
 * while the next is filled, and then filled anew.
 *
 * @module
 */
import * as path from "node:path";
import {
  type ArraysShape,
  type PackBlank,
  packBlank,
  type PackDescription,
} from "../../pack_layout.ts";
import { writeWholeBehind } from "../../shard.ts";

/** Files on their way while another is filled: more would take memory alone. */
const BEHIND = 2;

/** A file that was written. */
export type PackedFile = PackDescription["files"][number];

export interface PackFiles {
  /** A file of so many windows to fill. */
  readonly take: (windows: number, shape: ArraysShape) => PackBlank;
  /** Writes the first `windows` of it as the next file. */
  readonly publish: (blank: PackBlank, windows: number) => void;
  /** Whether so much is on its way that more should wait for {@linkcode caughtUp}. */
  readonly isBehind: () => boolean;
  /** Waits until no more is on its way than may be, or throws what befell it. */
  readonly caughtUp: () => Promise<void>;
  /** Waits until nothing is on its way, whatever befell it. */
  readonly settled: () => Promise<void>;
  /** Waits for all; the files in order. */
  readonly done: () => Promise<ReadonlyArray<PackedFile>>;
}

export function packFiles(folder: string): PackFiles {
  const files: Array<Promise<PackedFile>> = [];
  const free: Array<PackBlank> = [];
  let written = 0;
  const take = (windows: number, shape: ArraysShape) => {
    // Those made for another shape do not come back.
    for (let blank = free.pop(); blank; blank = free.pop()) {
      if (blank.shape === shape) return blank;
    }
    return packBlank(windows, shape);
  };
  const publish = (blank: PackBlank, windows: number) => {
    const file = `pack-${String(files.length).padStart(5, "0")}.safetensors`;
    const bytes = blank.bytes(windows);
    const writing = writeWholeBehind(path.join(folder, file), bytes).then(
      (hashed) => {
        written++;
        free.push(blank);
        return { file, windows, ...hashed };
      },
    );
    // Whoever waits for it hears of it; until then it is not unheard of.
    writing.catch(() => {});
    files.push(writing);
  };
  return {
    take,
    publish,
    isBehind: () => files.length - written > BEHIND,
    caughtUp: async () => {
      await Promise.all(files.slice(0, -BEHIND));
    },
    settled: async () => {
      await Promise.allSettled(files);
    },
    done: () => Promise.all(files),
  };
}
