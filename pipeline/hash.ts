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

/** What the worker answers: a digest, or what a host call threw. */
export type Hashed =
  | { readonly written: Written }
  | { readonly cause: { readonly message: string; readonly code?: string } };

/** A thread of its own that hashes files, one after the other. */
export interface Hasher {
  readonly hash: (file: string) => Promise<Written>;
  /** Ends the thread, whatever it is at. */
  readonly stop: () => void;
}

interface Waiting {
  readonly resolve: (written: Written) => void;
  readonly reject: (cause: Error) => void;
}

function startWorker(waiting: Array<Waiting>): Worker {
  const url = new URL("./hash_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  // It answers in the order in which it was asked.
  worker.onmessage = ({ data }: MessageEvent<Hashed>) => {
    const { resolve, reject } = waiting.shift()!;
    if ("written" in data) return resolve(data.written);
    const { message, code } = data.cause;
    reject(Object.assign(new Error(message), { code }));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    const cause = new Error(`worker: ${event.message}`);
    for (const { reject } of waiting.splice(0)) reject(cause);
  };
  return worker;
}

/** A hasher; its thread starts with the first file. */
export function hasher(): Hasher {
  const waiting: Array<Waiting> = [];
  let worker: Worker | undefined;
  return {
    hash: (file) => {
      worker ??= startWorker(waiting);
      const hashed = new Promise<Written>((resolve, reject) => {
        waiting.push({ resolve, reject });
      });
      // Whoever waits for it hears of it; until then it is not unheard of.
      hashed.catch(() => {});
      worker.postMessage(file);
      return hashed;
    },
    stop: () => worker?.terminate(),
  };
}
