/**
 * Digests of files as they lie on disk.
 *
 * @module
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";

/** What a written file holds, as far as bytes go. */
export interface Written {
  readonly bytes: number;
  readonly sha256: string;
}

/** The SHA-256 and size of a file as it lies on disk. */
export function hashFile(file: string): Written {
  const hash = createHash("sha256");
  const fd = fs.openSync(file, "r");
  const chunk = new Uint8Array(1 << 20);
  let bytes = 0;
  try {
    for (;;) {
      const length = fs.readSync(fd, chunk, 0, chunk.length, null);
      if (length === 0) return { bytes, sha256: hash.digest("hex") };
      hash.update(chunk.subarray(0, length));
      bytes += length;
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** What the worker answers: a digest of each file, or what a host call threw. */
export type Hashed =
  | { readonly written: ReadonlyArray<Written> }
  | { readonly cause: { readonly message: string; readonly code?: string } };

/** Files that a worker is hashing. */
export interface Hashing {
  readonly done: Promise<ReadonlyArray<Written>>;
  /** Gives up, or does nothing where it is done. */
  readonly stop: () => void;
}

/** Hashes files on a thread of its own. */
export function hashBehind(files: ReadonlyArray<string>): Hashing {
  if (files.length === 0) return { done: Promise.resolve([]), stop: () => {} };
  const url = new URL("./hash_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const done = new Promise<ReadonlyArray<Written>>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Hashed>) => {
      worker.terminate();
      if ("written" in data) return resolve(data.written);
      const { message, code } = data.cause;
      reject(Object.assign(new Error(message), { code }));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`worker: ${event.message}`));
    };
  });
  // Whoever waits for it hears of it; until then it is not unheard of.
  done.catch(() => {});
  worker.postMessage(files);
  return { done, stop: () => worker.terminate() };
}
