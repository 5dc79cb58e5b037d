/**
 * Shards: one file of rows, written under another name until it is whole.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import * as zlib from "node:zlib";
import type { StageError } from "./errors.ts";
import { packingOf, writeAll } from "./files.ts";
import type { Written } from "./digest.ts";
import { attempt, promised } from "./jsonl.ts";

/** A file being written; nobody sees it by its own name before `close`. */
export interface ShardWriter {
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, StageError>;
  readonly close: () => Effect.Effect<Written, StageError>;
  /** Gives up: no file is left behind. Does nothing after `close`. */
  readonly abandon: () => void;
}

/** Packs bytes, giving them to `use`; the bytes that come out are stable. */
interface Packer {
  readonly push: (bytes: Uint8Array) => Promise<void>;
  readonly end: () => Promise<void>;
}

function packer(
  stream: zlib.Gzip | zlib.ZstdCompress,
  use: (bytes: Uint8Array) => void,
): Packer {
  let failure: unknown;
  stream.on("data", (bytes: Uint8Array) => {
    try {
      use(bytes);
    } catch (error) {
      failure ??= error;
    }
  });
  const settle = (resolve: () => void, reject: (cause: unknown) => void) => {
    if (failure === undefined) resolve();
    else reject(failure);
  };
  return {
    push: (bytes) =>
      new Promise((resolve, reject) =>
        stream.write(bytes, () => settle(resolve, reject))
      ),
    end: () =>
      new Promise((resolve, reject) => {
        stream.on("end", () => settle(resolve, reject));
        stream.end();
      }),
  };
}

function makePacker(
  file: string,
  use: (bytes: Uint8Array) => void,
): Packer | undefined {
  const packing = packingOf(file);
  if (packing === "none") return undefined;
  return packer(
    packing === "gz" ? zlib.createGzip() : zlib.createZstdCompress(),
    use,
  );
}

function syncFolder(folder: string): void {
  const fd = fs.openSync(folder, "r");
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

/** A temporary name that no glob of shards matches. */
function partialName(file: string): string {
  return `${file}.partial`;
}

/**
 * Starts the file `file`, or with `keep` false only its hash: what it would be.
 */
export function openShard(
  file: string,
  keep = true,
): Effect.Effect<ShardWriter, StageError> {
  const partial = partialName(file);
  const what = `write ${file}`;
  return attempt(what, () => {
    const fd = keep ? fs.openSync(partial, "w") : -1;
    const hash = createHash("sha256");
    let bytes = 0;
    let isOpen = keep;
    const put = (chunk: Uint8Array) => {
      hash.update(chunk);
      bytes += chunk.length;
      if (keep) writeAll(fd, chunk);
    };
    const pack = makePacker(file, put);
    const shut = () => {
      if (isOpen) fs.closeSync(fd);
      isOpen = false;
    };
    const publish = (): Written => {
      if (keep) {
        fs.fsyncSync(fd);
        shut();
        fs.renameSync(partial, file);
        syncFolder(path.dirname(file));
      }
      return { bytes, sha256: hash.digest("hex") };
    };
    return {
      write: (chunk) =>
        pack
          ? promised(what, () => pack.push(chunk))
          : attempt(what, () => put(chunk)),
      close: () => {
        const ended = pack ? promised(what, pack.end) : Effect.void;
        return Effect.flatMap(ended, () => attempt(what, publish));
      },
      abandon: () => {
        if (!isOpen) return;
        shut();
        fs.rmSync(partial, { force: true });
      },
    };
  });
}

function writeSynced(file: string, bytes: Uint8Array): void {
  const fd = fs.openSync(file, "w");
  try {
    writeAll(fd, bytes);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Writes a file so that it is there whole or not at all. */
export function writeWhole(file: string, content: string | Uint8Array): void {
  const partial = partialName(file);
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  writeSynced(partial, bytes);
  fs.renameSync(partial, file);
}

/**
 * As {@linkcode writeWhole}, on threads of the host: the caller goes on, and must
 * leave the bytes alone until the promise is kept.
 */
export async function writeWholeBehind(
  file: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const partial = partialName(file);
  try {
    const handle = await Deno.create(partial);
    try {
      for (let at = 0; at < bytes.length;) {
        at += await handle.write(bytes.subarray(at));
      }
      await handle.sync();
    } finally {
      handle.close();
    }
  } catch (cause) {
    fs.rmSync(partial, { force: true });
    throw cause;
  }
  fs.renameSync(partial, file);
}

/** Writes a folder of small files, by name, whole or not at all. */
export function writeFolder(
  folder: string,
  files: { readonly [name: string]: Uint8Array },
): void {
  const partial = partialName(folder);
  fs.mkdirSync(partial);
  try {
    for (const [name, bytes] of Object.entries(files)) {
      writeSynced(path.join(partial, name), bytes);
    }
    syncFolder(partial);
    fs.renameSync(partial, folder);
  } catch (cause) {
    fs.rmSync(partial, { recursive: true, force: true });
    throw cause;
  }
}
