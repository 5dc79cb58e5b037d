/**
 * Files hashed on a thread of its own.
 *
 * @module
 */
import type { Written } from "./digest.ts";
import { type Thread, thread } from "./thread.ts";

/** A thread of its own that hashes files, one after the other. */
export interface Hasher {
  readonly hash: (file: string) => Promise<Written>;
  /** Ends the thread, whatever it is at. */
  readonly stop: () => void;
}

/** A hasher; its thread starts with the first file. */
export function hasher(): Hasher {
  let started: Thread<string, Written> | undefined;
  return {
    hash: (file) => {
      started ??= thread(new URL("./hash_worker.ts", import.meta.url));
      return started.ask(file);
    },
    stop: () => started?.stop(),
  };
}
