/**
 * The thread of {@linkcode hasher}.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { type Hashed, hashFile } from "./hash.ts";

function hashed(file: string): Hashed {
  try {
    return { written: hashFile(file) };
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    return { cause: { message, ...(code !== undefined && { code }) } };
  }
}

self.onmessage = ({ data }: MessageEvent<string>) =>
  self.postMessage(hashed(data));
