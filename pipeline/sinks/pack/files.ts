/**
 * The files of a packed set. One is written, on threads of the host, while the next
 * is filled, and then hashed, while it is filled anew.
 *
 * @module
 */
import * as path from "node:path";
import {
  type ArraysShape,
  type PackBlank,
  packBlank,
  type PackDescription,
  reused,
} from "../../pack_layout.ts";
import type { Hasher } from "../../hash.ts";
import { writeWholeBehind } from "../../shard.ts";

/** Files on their way while another is filled: more would take memory alone. */
const BEHIND = 2;

/** A file that was written. */
export type PackedFile = PackDescription["files"][number];

export interface PackFiles {
  /** A file to fill. */
  readonly take: (shape: ArraysShape) => PackBlank;
  /** Writes the first `windows` of it as the next file. */
  readonly publish: (blank: PackBlank, windows: number) => void;
  /** Whether so much is on its way that more should wait for {@linkcode caughtUp}. */
  readonly isBehind: () => boolean;
  /** Waits until no more is being written than may be, or throws what befell it. */
  readonly caughtUp: () => Promise<void>;
  /** Waits until nothing is being written, whatever befell it. */
  readonly settled: () => Promise<void>;
  /** Waits until all are written and hashed; the files in order. */
  readonly done: () => Promise<ReadonlyArray<PackedFile>>;
}

export function packFiles(folder: string, { hash }: Hasher): PackFiles {
  const files: Array<Promise<PackedFile>> = [];
  const writes: Array<Promise<void>> = [];
  const free: Array<PackBlank> = [];
  let written = 0;
  const publish = (blank: PackBlank, windows: number) => {
    const file = `pack-${String(files.length).padStart(5, "0")}.safetensors`;
    const whole = path.join(folder, file);
    const writing = writeWholeBehind(whole, blank.bytes(windows)).then(() => {
      written++;
      free.push(blank);
    });
    const hashed = writing.then(async () => {
      return { file, windows, ...await hash(whole) };
    });
    // Whoever waits for it hears of it; until then it is not unheard of.
    hashed.catch(() => {});
    writes.push(writing);
    files.push(hashed);
  };
  return {
    take: (shape) => reused(free, shape) ?? packBlank(shape),
    publish,
    isBehind: () => writes.length - written > BEHIND,
    caughtUp: async () => {
      await Promise.all(writes.slice(0, -BEHIND));
    },
    settled: async () => {
      await Promise.allSettled(writes);
    },
    done: () => Promise.all(files),
  };
}
