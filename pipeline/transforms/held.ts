/**
 * Rows that are held in memory for a while, and given out again in batches.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import { putBytes, recycle, take, writer } from "../bytes.ts";
import type { StageError } from "../errors.ts";
import { attempt, type Batches } from "../jsonl.ts";
import type { Batch } from "../lines.ts";

const MEBIBYTE = 2 ** 20;

/** The lines of rows, each with its line feed, as batches of about 1 MiB. */
export function* inBatches(
  lines: Iterable<Uint8Array>,
  origin: string,
): Generator<Batch> {
  const out = writer(MEBIBYTE);
  let [first, line, offset] = [1, 1, 0];
  const batch = () => {
    const bytes = take(out);
    const place = { origin, line: first };
    const made = { bytes, place, offset, release: () => recycle(bytes) };
    offset += bytes.length;
    first = line;
    return made;
  };
  for (const bytes of lines) {
    putBytes(out, bytes);
    line++;
    if (out.length >= MEBIBYTE) yield batch();
  }
  if (out.length > 0) yield batch();
}

/** What an iterable gives, where giving it may throw a tagged error. */
export function fromThrowing<A>(
  what: string,
  items: Iterable<A>,
): Stream.Stream<A, StageError> {
  return Stream.suspend(() => {
    const iterator = items[Symbol.iterator]();
    return Stream.unfold(undefined, () =>
      attempt(what, () => {
        const { done, value } = iterator.next();
        return done ? undefined : [value as A, undefined] as const;
      }));
  });
}

/**
 * Reads all of `batches` before anything is given; `read` copies what it keeps.
 */
export function afterAll(
  batches: Batches,
  what: string,
  read: (batch: Batch) => void,
  give: () => Iterable<Batch>,
): Batches {
  const reading = Stream.runForEach(
    batches,
    (batch) =>
      attempt(what, () => {
        read(batch);
        batch.release?.();
      }),
  );
  return Stream.unwrap(
    Effect.map(reading, () => fromThrowing(what, give())),
  );
}
