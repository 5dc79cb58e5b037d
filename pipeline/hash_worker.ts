/**
 * The thread of {@linkcode hashBehind}.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { type Hashed, hashFile } from "./hash.ts";

function hashAll(files: ReadonlyArray<string>): Hashed {
  try {
    return { written: files.map(hashFile) };
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    return { cause: { message, ...(code !== undefined && { code }) } };
  }
}

self.onmessage = ({ data }: MessageEvent<ReadonlyArray<string>>) =>
  self.postMessage(hashAll(data));
