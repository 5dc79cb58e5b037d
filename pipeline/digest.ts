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
