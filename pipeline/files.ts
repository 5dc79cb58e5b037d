/**
 * Files and the standard streams: the only place that reads and writes rows on
 * the host. Compression goes by the file's name (`.gz`, `.zst`).
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import * as fs from "node:fs";
import * as path from "node:path";
import * as zlib from "node:zlib";
import type { Readable } from "node:stream";
import { obtain } from "./bytes.ts";
import { DataError, hostError, type StageError } from "./errors.ts";
import { attempt, type Batches, toBatches } from "./jsonl.ts";
import { takingTurns } from "./turn.ts";
import { type Frame, zstdFrames } from "./zstd.ts";

const CHUNK = 1 << 18;
const SHARD = /\.jsonl(\.gz|\.zst)?$/;

/** How a file is packed, by its name. */
export type Packing = "none" | "gz" | "zst";

export function packingOf(file: string): Packing {
  if (file.endsWith(".gz")) return "gz";
  return file.endsWith(".zst") ? "zst" : "none";
}

/** The bytes of an open plain file, a chunk at a time. */
function readPlain(file: string): Stream.Stream<Uint8Array, StageError> {
  const what = `read ${file}`;
  const open = attempt(what, () => fs.openSync(file, "r"));
  return Stream.unwrap(
    Effect.map(
      Effect.acquireRelease(open, (fd) => Effect.sync(() => fs.closeSync(fd))),
      (fd) =>
        Stream.unfold(0, (at) =>
          takingTurns(what, () => {
            const chunk = obtain(CHUNK);
            const length = fs.readSync(fd, chunk, 0, CHUNK, null);
            if (length === 0) return undefined;
            return [chunk.subarray(0, length), at + length] as const;
          })),
    ),
  );
}

/** What `unpacker` makes of a part of a file. */
function readPacked(
  file: string,
  unpacker: zlib.Gunzip | zlib.ZstdDecompress,
  [start, end]: Frame = [0, Infinity],
): Stream.Stream<Uint8Array, StageError> {
  const damaged = (cause: unknown) => {
    const { code, message } = cause as Error & { code?: string };
    return code?.startsWith("Z") || code?.startsWith("ERR_") || !code
      ? new DataError({ message: `Cannot unpack ${file}: ${message}` })
      : hostError(`read ${file}`, cause);
  };
  return Stream.suspend(() => {
    const range = { start, end: end - 1, highWaterMark: CHUNK };
    const input = fs.createReadStream(file, range);
    input.on("error", (error) => unpacker.destroy(error));
    const chunks: Readable = input.pipe(unpacker);
    return Stream.fromAsyncIterable<Uint8Array, StageError>(chunks, damaged);
  });
}

function readZstd(file: string): Stream.Stream<Uint8Array, StageError> {
  return Stream.unwrap(
    Effect.map(
      attempt(`read ${file}`, () => zstdFrames(file)),
      (frames) =>
        Stream.fromIterable(frames).pipe(
          Stream.flatMap((frame) =>
            Stream.suspend(() =>
              readPacked(file, zlib.createZstdDecompress(), frame)
            )
          ),
        ),
    ),
  );
}

/** The unpacked bytes of a file. */
export function readFile(file: string): Stream.Stream<Uint8Array, StageError> {
  switch (packingOf(file)) {
    case "none":
      return readPlain(file);
    case "gz":
      return Stream.suspend(() => readPacked(file, zlib.createGunzip()));
    case "zst":
      return readZstd(file);
  }
}

/** The lines of files, one after the other. */
export function readFiles(files: ReadonlyArray<string>): Batches {
  return Stream.fromIterable(files).pipe(
    Stream.flatMap((file) => toBatches(readFile(file), file)),
  );
}

/** The lines of standard input. */
export function readStdin(): Batches {
  const chunks = Stream.fromReadableStream<Uint8Array, StageError>({
    evaluate: () => Deno.stdin.readable,
    onError: (cause) => hostError("read standard input", cause),
  });
  return toBatches(chunks, "stdin");
}

/** Writes all of `bytes` to an open file, as often as that takes. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    at += fs.writeSync(fd, bytes, at, bytes.length - at);
  }
}

/** Writes all of `bytes` to standard output; a closed pipe is ClosedPipe. */
export function writeStdout(
  bytes: Uint8Array,
): Effect.Effect<void, StageError> {
  return attempt("write to standard output", () => {
    for (let at = 0; at < bytes.length;) {
      at += Deno.stdout.writeSync(bytes.subarray(at));
    }
  });
}

function isFolder(name: string): boolean {
  return fs.statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The shards in a dataset folder, in order; `undefined` if it is none. */
export function shardsOf(folder: string): ReadonlyArray<string> | undefined {
  const data = path.join(folder, "data");
  if (!isFolder(data)) return undefined;
  const names = fs.readdirSync(data).filter((name) => SHARD.test(name)).sort();
  return names.map((name) => path.join(data, name));
}

/** Files as named, and folders as the shards in them. */
export function expandInputs(
  inputs: ReadonlyArray<string>,
): Effect.Effect<ReadonlyArray<string>, StageError> {
  return attempt("list inputs", () =>
    inputs.flatMap((input) => {
      if (!fs.existsSync(input)) {
        throw new DataError({
          message: `Cannot read ${input}: no such file or folder`,
        });
      }
      if (!isFolder(input)) return [input];
      const shards = shardsOf(input);
      if (shards !== undefined && shards.length > 0) return shards;
      throw new DataError({
        message:
          `Cannot read ${input}: not a dataset (no data/*.jsonl, .gz or .zst in it)`,
      });
    }));
}
