/**
 * Where the frames of a zstd file stand (RFC 8878). A file may hold several, one
 * after the other, as `cat`, `pzstd` and appending leave them; the host's
 * decompressor reads one and takes no notice of the rest.
 *
 * @module
 */
import * as fs from "node:fs";
import { DataError } from "./errors.ts";

const FRAME = 0xfd2fb528;
/** 0x184D2A50 to 0x184D2A5F: frames to be passed over. */
const SKIPPABLE = 0x184d2a5;
const DICTIONARY_BYTES = [0, 1, 2, 4];
const SIZE_BYTES = [0, 2, 4, 8];
const REPEATED = 1;
const RESERVED = 3;

/** First byte of a frame, and the byte behind it. */
export type Frame = readonly [number, number];

/** Reads little-endian numbers of an open file. */
type ReadNumber = (at: number, bytes: number) => number;

/** The end of the frame that starts at `start`. */
function frameEnd(start: number, read: ReadNumber): number {
  const descriptor = read(start + 4, 1);
  const single = (descriptor >> 5) & 1;
  const size = SIZE_BYTES[descriptor >> 6]! || single;
  const dictionary = DICTIONARY_BYTES[descriptor & 3]!;
  let at = start + 5 + (1 - single) + dictionary + size;
  for (;;) {
    const header = read(at, 3);
    const kind = (header >> 1) & 3;
    if (kind === RESERVED) return NaN;
    at += 3 + (kind === REPEATED ? 1 : header >> 3);
    if (header & 1) return at + (descriptor & 4 ? 4 : 0);
  }
}

/** The frames of `file` that hold data, in order. */
export function zstdFrames(file: string): ReadonlyArray<Frame> {
  const damaged = (why: string) =>
    new DataError({ message: `Cannot unpack ${file}: ${why}` });
  const fd = fs.openSync(file, "r");
  const word = new Uint8Array(4);
  const view = new DataView(word.buffer);
  const read = (at: number, bytes: number) => {
    word.fill(0);
    if (fs.readSync(fd, word, 0, bytes, at) === bytes) {
      return view.getUint32(0, true);
    }
    throw damaged("unexpected end of file");
  };
  try {
    const { size } = fs.fstatSync(fd);
    const frames: Array<Frame> = [];
    for (let at = 0; at < size;) {
      const magic = read(at, 4);
      const skip = magic >>> 4 === SKIPPABLE;
      const end = skip
        ? at + 8 + read(at + 4, 4)
        : magic === FRAME
        ? frameEnd(at, read)
        : NaN;
      if (Number.isNaN(end)) throw damaged(`not zstd at byte ${at}`);
      if (end > size) throw damaged("unexpected end of file");
      if (!skip) frames.push([at, end]);
      at = end;
    }
    return frames;
  } finally {
    fs.closeSync(fd);
  }
}
