/**
 * Keys: who may draw which numbers, by name.
 *
 * A key is 128 bits. {@linkcode rootKey} makes one of a seed,
 * {@linkcode foldIn} derives a child by a path of names and numbers. The child
 * depends on the path alone: not on what was drawn before, in which order, or
 * by which worker. The derivation is a cascade of Threefry blocks, each part of
 * the path being the counter under the key so far (Goldreich, Goldwasser,
 * Micali 1986); parts carry their type and length, so no two paths meet.
 *
 * @module
 */
import { threefry4x32, type Words4 } from "./threefry.ts";

/** 128 bits from which streams and further keys are derived. */
export type Key = Words4;

/** One part of a path: a name, or an integer in [0, 2^64). */
export type Part = string | number | bigint;

const TAG_NAME = 1;
const TAG_INTEGER = 2;
const BYTES_PER_BLOCK = 12;
const WORD = 2 ** 32;
const SEED = /^(0|[1-9][0-9]{0,19})$/;
const LARGEST_SEED = 2n ** 64n - 1n;
const utf8 = new TextEncoder();

/** Names recur in their millions, so their words are worked out once. */
const blocksOfNames = new Map<string, ReadonlyArray<Words4>>();

function nameBlocks(name: string): ReadonlyArray<Words4> {
  const bytes = utf8.encode(name);
  const count = Math.max(1, Math.ceil(bytes.length / BYTES_PER_BLOCK));
  const padded = new DataView(new ArrayBuffer(count * BYTES_PER_BLOCK));
  bytes.forEach((byte, i) => padded.setUint8(i, byte));
  const header = (TAG_NAME + bytes.length * 4) >>> 0;
  return Array.from({ length: count }, (_, i): Words4 => [
    header,
    padded.getUint32(i * BYTES_PER_BLOCK, true),
    padded.getUint32(i * BYTES_PER_BLOCK + 4, true),
    padded.getUint32(i * BYTES_PER_BLOCK + 8, true),
  ]);
}

function foldName(key: Key, name: string): Key {
  let blocks = blocksOfNames.get(name);
  if (blocks === undefined) {
    blocks = nameBlocks(name);
    if (blocksOfNames.size < 1024) blocksOfNames.set(name, blocks);
  }
  let folded = key;
  for (const block of blocks) folded = threefry4x32(folded, block);
  return folded;
}

function foldInteger(key: Key, part: number | bigint): Key {
  if (typeof part === "bigint") {
    if (part < 0n || part > LARGEST_SEED) {
      throw new RangeError(`Cannot fold ${part} into a key: not in [0, 2^64)`);
    }
    const low = Number(part & 0xffffffffn);
    return threefry4x32(key, [TAG_INTEGER, low, Number(part >> 32n), 0]);
  }
  if (!Number.isSafeInteger(part) || part < 0) {
    throw new RangeError(`Cannot fold ${part} into a key: not in [0, 2^53)`);
  }
  const high = Math.floor(part / WORD);
  return threefry4x32(key, [TAG_INTEGER, part >>> 0, high, 0]);
}

/**
 * The 64-bit seed that a decimal string or number writes; seeds travel as
 * strings, since JSON readers round integers above 2^53.
 */
export function parseSeed(seed: string | number | bigint): bigint {
  const text = String(seed);
  if (SEED.test(text) && BigInt(text) <= LARGEST_SEED) return BigInt(text);
  throw new RangeError(
    `Cannot use ${JSON.stringify(text)} as a seed: not an integer in [0, 2^64)`,
  );
}

/** The key of a 64-bit seed. */
export function rootKey(seed: string | number | bigint): Key {
  return foldInteger([0, 0, 0, 0], parseSeed(seed));
}

/**
 * The key at the end of a path below `key`.
 *
 * @example A path is its parts in order, however it is walked
 * ```ts
 * import { deepEqual, notDeepEqual } from "node:assert/strict";
 *
 * const key = rootKey("7");
 * deepEqual(foldIn(key, "task", 3), foldIn(foldIn(key, "task"), 3));
 * notDeepEqual(foldIn(key, "task", 3), foldIn(key, "task", 4));
 * notDeepEqual(foldIn(key, "1"), foldIn(key, 1));
 * ```
 */
export function foldIn(key: Key, ...path: ReadonlyArray<Part>): Key {
  let folded = key;
  for (const part of path) {
    folded = typeof part === "string"
      ? foldName(folded, part)
      : foldInteger(folded, part);
  }
  return folded;
}

/** The 64-bit seed, as a decimal string, that a key stands for. */
export function seedOf(key: Key): string {
  return ((BigInt(key[1]) << 32n) | BigInt(key[0])).toString();
}
