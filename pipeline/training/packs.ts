/**
 * Packed windows, read to train on.
 *
 * @module
 */
import * as fs from "node:fs";
import * as path from "node:path";
import {
  decodeSafetensors,
  SafetensorsError,
  type Tensors,
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

/** A packed set, its files in memory. */
export interface Packs {
  readonly description: PackDescription;
  readonly files: ReadonlyArray<Tensors>;
  /** Number of the first window of each file. */
  readonly firsts: ReadonlyArray<number>;
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

/** The tensors of a file, each of so many windows of the context. */
function readFile(
  file: string,
  windows: number,
  { context }: PackDescription,
): Tensors {
  if (!fs.existsSync(file)) throw bad(file, "is missing");
  try {
    const { tensors } = decodeSafetensors(
      new Uint8Array(fs.readFileSync(file)),
    );
    for (const [name, { shape }] of Object.entries(tensors)) {
      if (shape[0] === windows && shape[1] === context) continue;
      throw bad(
        file,
        `${name} is [${shape}], expected [${windows},${context}]`,
      );
    }
    return tensors;
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw bad(file, error.message);
  }
}

export function openPacks(folder: string): Packs {
  const description = readDescription(folder);
  let first = 0;
  const firsts = description.files.map(({ windows }) => {
    first += windows;
    return first - windows;
  });
  const files = description.files.map(({ file, windows }) =>
    readFile(path.join(folder, file), windows, description)
  );
  return { description, files, firsts };
}

/** The file that a window is in, and its number there. */
function locate({ firsts }: Packs, window: number) {
  let file = firsts.length - 1;
  while (firsts[file]! > window) file--;
  return { file, at: window - firsts[file]! };
}

/**
 * Windows of update `update` (from 0): `batch` of them, each epoch in an order of
 * its own. A function of its arguments alone, so that a run that was stopped goes
 * on as if it had not been.
 */
export function windowsOfUpdate(
  key: Key,
  windows: number,
  batch: number,
  update: number,
): Int32Array {
  const chosen = new Int32Array(batch);
  let [epoch, order] = [-1, new Int32Array(0)];
  for (let i = 0; i < batch; i++) {
    const at = update * batch + i;
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

/** A column of some windows, one behind the other; none if there is no such. */
export function gather<A extends Int32Array | Float32Array | Uint8Array>(
  packs: Packs,
  windows: Int32Array,
  name: string,
  into: (length: number) => A,
): A | undefined {
  if (packs.files[0]?.[name] === undefined) return undefined;
  const { shape } = packs.files[0][name];
  const size = shape.slice(1).reduce((product, side) => product * side, 1);
  const out = into(windows.length * size);
  windows.forEach((window, i) => {
    const { file, at } = locate(packs, window);
    const { data } = packs.files[file]![name]!;
    const part = data.subarray(at * size, (at + 1) * size);
    // Packs hold no 64-bit integers.
    out.set(part as unknown as ArrayLike<number>, i * size);
  });
  return out;
}
