/**
 * Packed windows, read to train on. Files are not held: the windows of a batch are
 * read from where they stand, so packs may be larger than memory.
 *
 * @module
 */
import * as fs from "node:fs";
import * as path from "node:path";
import {
  arrayOf,
  type DType,
  headerEnd,
  layoutOf,
  type Place,
  SafetensorsError,
  type TensorData,
} from "../../kernels/safetensors.ts";
import { foldIn, type Key } from "../../kernels/random/key.ts";
import { generator } from "../../kernels/random/generator.ts";
import { permutation } from "../../kernels/random/distributions.ts";
import { DataError } from "../errors.ts";
import {
  PACK_FILE,
  PACK_SCHEMA,
  type PackDescription,
} from "../pack_layout.ts";

/** Files that are open at once: processes may have but so many. */
const OPEN_FILES = 128;

/** One file of a packed set. */
interface PackFile {
  readonly file: string;
  /** Where its columns stand. */
  readonly places: { readonly [name: string]: Place };
  /** Number of its first window. */
  readonly first: number;
}

/** A packed set; `close` it when it is done with. */
export interface Packs {
  readonly description: PackDescription;
  readonly files: ReadonlyArray<PackFile>;
  /** A file of the set, to read from. */
  readonly descriptor: (file: string) => number;
  readonly close: () => void;
}

function bad(file: string, what: string): DataError {
  return new DataError({ message: `${file}: ${what}` });
}

/** What `pack.json` of a folder says. */
export function readDescription(folder: string): PackDescription {
  const file = path.join(folder, PACK_FILE);
  if (!fs.existsSync(file)) {
    throw bad(file, "is not there; retrial pack writes such folders");
  }
  let made: Partial<PackDescription>;
  try {
    made = JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (cause) {
    throw bad(file, `is no JSON: ${(cause as Error).message}`);
  }
  if (made.schema !== PACK_SCHEMA) {
    throw bad(file, `schema is ${made.schema}, expected ${PACK_SCHEMA}`);
  }
  return made as PackDescription;
}

/** Reads bytes of a file from a place on. */
function readAt(
  fd: number,
  into: Uint8Array,
  from: number,
  file: string,
): void {
  for (let done = 0; done < into.length;) {
    const left = into.length - done;
    const read = fs.readSync(fd, into, done, left, from + done);
    if (read === 0) throw bad(file, `ends before byte ${from + into.length}`);
    done += read;
  }
}

/** Descriptors of files, the last so many of them kept open. */
function descriptors() {
  const open = new Map<string, number>();
  const shut = (file: string) => {
    fs.closeSync(open.get(file)!);
    open.delete(file);
  };
  return {
    descriptor: (file: string) => {
      const fd = open.get(file) ?? fs.openSync(file, "r");
      // The one used last is the last of the map.
      open.delete(file);
      open.set(file, fd);
      if (open.size > OPEN_FILES) shut(open.keys().next().value!);
      return fd;
    },
    close: () => [...open.keys()].forEach(shut),
  };
}

function placesIn(file: string, fd: number): PackFile["places"] {
  const { size } = fs.fstatSync(fd);
  const start = new Uint8Array(Math.min(8, size));
  readAt(fd, start, 0, file);
  try {
    const header = new Uint8Array(headerEnd(start, size));
    readAt(fd, header, 0, file);
    return layoutOf(header, size).places;
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw bad(file, error.message);
  }
}

/** Integers of any width are the same to who reads them. */
function kindOf({ dtype }: Place): string {
  return /^I(8|16|32)$/.test(dtype) ? "integers" : dtype;
}

/** Columns of `windows` windows each, the same as in the first file. */
function checkPlaces(
  { file, places }: PackFile,
  [windows, context]: readonly [number, number],
  like: PackFile["places"],
): void {
  for (const [name, { shape, dtype }] of Object.entries(places)) {
    if (shape[0] !== windows || shape[1] !== context) {
      throw bad(
        file,
        `${name} is [${shape}], expected [${windows},${context}]`,
      );
    }
    if (dtype === "I64") throw bad(file, `${name} is of 64-bit integers`);
  }
  for (const [name, wanted] of Object.entries(like)) {
    const place = places[name];
    if (place === undefined) throw bad(file, `${name} is missing`);
    const isSame = kindOf(place) === kindOf(wanted) &&
      elementsOf(place) === elementsOf(wanted);
    if (!isSame) throw bad(file, `${name} is not as in the first file`);
  }
}

export function openPacks(folder: string): Packs {
  const description = readDescription(folder);
  const { descriptor, close } = descriptors();
  let [first, like] = [0, undefined as PackFile["places"] | undefined];
  try {
    const files = description.files.map(({ file: name, windows }) => {
      const file = path.join(folder, name);
      if (!fs.existsSync(file)) throw bad(file, "is missing");
      const own = { file, places: placesIn(file, descriptor(file)), first };
      like ??= own.places;
      checkPlaces(own, [windows, description.context], like);
      first += windows;
      return own;
    });
    return { description, files, descriptor, close };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * Windows of batch `batch` (from 0) of `size`, each epoch in an order of its own. A
 * function of its arguments alone, so that a run that was stopped goes on as if it
 * had not been.
 */
export function windowsOfBatch(
  key: Key,
  windows: number,
  size: number,
  batch: number,
): Int32Array {
  const chosen = new Int32Array(size);
  let [epoch, order] = [-1, new Int32Array(0)];
  for (let i = 0; i < size; i++) {
    const at = batch * size + i;
    const own = Math.floor(at / windows);
    if (own !== epoch) {
      epoch = own;
      order = orderOf(key, windows, epoch);
    }
    chosen[i] = order[at % windows]!;
  }
  return chosen;
}

let kept:
  | { key: Key; windows: number; epoch: number; order: Int32Array }
  | undefined;

function orderOf(
  key: Key,
  windows: number,
  epoch: number,
): Int32Array<ArrayBuffer> {
  const isKept = kept?.key === key && kept.windows === windows &&
    kept.epoch === epoch;
  if (!isKept) {
    const random = generator(foldIn(key, "epoch", epoch));
    kept = { key, windows, epoch, order: permutation(random, windows) };
  }
  return kept!.order as Int32Array<ArrayBuffer>;
}

/** The file that a window is in. */
function fileOf({ files }: Packs, window: number): PackFile {
  let [low, high] = [0, files.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (files[middle]!.first <= window) low = middle;
    else high = middle - 1;
  }
  return files[low]!;
}

/** Whether a packed set has a column. */
export function hasColumn({ files }: Packs, name: string): boolean {
  return files[0]?.places[name] !== undefined;
}

/** How many elements a window has. */
function elementsOf({ shape }: Place): number {
  return shape.slice(1).reduce((product, side) => product * side, 1);
}

/** A column of some windows, one behind the other, as elements of any type. */
export function gather<A extends Int32Array | Float32Array | Uint8Array>(
  packs: Packs,
  windows: Int32Array,
  name: string,
  into: (length: number) => A,
): A {
  const { file, places: { [name]: place } } = packs.files[0]!;
  if (place === undefined) throw bad(file, `${name} is missing`);
  const size = elementsOf(place);
  const out = into(windows.length * size);
  // Files may differ in how wide their integers are.
  const stored: { [type in DType]?: TensorData } = {};
  windows.forEach((window, i) => {
    const { file, places, first } = fileOf(packs, window);
    const { dtype, from } = places[name]!;
    const one = stored[dtype] ??= arrayOf(dtype, size);
    const start = from + (window - first) * one.byteLength;
    const bytes = new Uint8Array(one.buffer);
    readAt(packs.descriptor(file), bytes, start, file);
    // Packs hold no 64-bit integers.
    out.set(one as ArrayLike<number>, i * size);
  });
  return out;
}
