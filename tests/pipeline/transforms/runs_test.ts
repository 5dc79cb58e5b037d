import { deepEqual, equal, ok } from "node:assert/strict";
import * as fc from "fast-check";
import * as fs from "node:fs";
import * as path from "node:path";
import { type Sorter, sorter } from "../../../pipeline/transforms/runs.ts";
import { withFolder } from "../../shell.ts";

type Row = readonly [key: Uint8Array, line: Uint8Array];

/** Copies of what comes out. */
function drain(sorted: Sorter, rows: ReadonlyArray<Row>): Array<string> {
  for (const [key, line] of rows) sorted.add(key, line);
  return Array.from(sorted.sorted(), (line) => line.join());
}

/** In the order of bytes; `sort` is stable. */
function expected(rows: ReadonlyArray<Row>): Array<string> {
  return rows.toSorted(([a], [b]) => {
    const at = a.findIndex((byte, i) => byte !== b[i]);
    if (at < 0) return a.length - b.length;
    return at < b.length ? a[at]! - b[at]! : 1;
  }).map(([, line]) => line.join());
}

const byte = fc.constantFrom(0, 1, 127, 128, 255);
const key = fc.uint8Array({ maxLength: 3 }).chain((free) =>
  fc.oneof(
    fc.constant(free),
    fc.array(byte, { maxLength: 3 }).map((bytes) => Uint8Array.from(bytes)),
  )
);
/** Lines that tell rows of equal keys apart, some larger than all memory. */
const rows = fc.array(
  fc.tuple(key, fc.oneof(fc.nat(6), fc.constant(300))),
  { maxLength: 60 },
).map((drawn) =>
  drawn.map(([key, more], i): Row => [
    key,
    Uint8Array.from({ length: 1 + more }, () => i),
  ])
);

Deno.test("sorter() is a stable sort by bytes, whatever its memory and files", () =>
  withFolder((folder) => {
    fc.assert(
      fc.property(
        rows,
        fc.constantFrom(1, 60, 200, 1000, 1e6),
        fc.integer({ min: 2, max: 5 }),
        (rows, memory, fanIn) => {
          const sorted = sorter(memory, () => folder, fanIn);
          deepEqual(drain(sorted, rows), expected(rows));
          sorted.close();
          deepEqual(fs.readdirSync(folder), []);
        },
      ),
    );
  }));

Deno.test("sorter() has no more files at a time than it may", () =>
  withFolder((folder) => {
    const sorted = sorter(100, () => folder, 3);
    for (let i = 0; i < 40; i++) {
      sorted.add(Uint8Array.of((i * 7) % 40), new Uint8Array(60).fill(i));
    }
    const given = sorted.sorted();
    given.next();
    const [made] = fs.readdirSync(folder);
    equal(fs.readdirSync(path.join(folder, made!)).length <= 3, true);
    ok(fs.readdirSync(path.join(folder, made!)).length > 1);
    sorted.close();
    ok(given.next().done);
  }));

Deno.test("sorter() makes no files for what it can hold", () =>
  withFolder((folder) => {
    const sorted = sorter(1e6, () => folder);
    drain(sorted, [[Uint8Array.of(1), Uint8Array.of(10)]]);
    deepEqual(fs.readdirSync(folder), []);
    sorted.close();
  }));

Deno.test("sorter() keeps its files in a folder of its own", () =>
  withFolder((folder) => {
    const sorted = sorter(400, () => folder);
    for (let i = 0; i < 2; i++) {
      sorted.add(Uint8Array.of(i), new Uint8Array(500));
    }
    const [made] = fs.readdirSync(folder);
    equal(fs.statSync(path.join(folder, made!)).mode & 0o777, 0o700);
    sorted.close();
    deepEqual(fs.readdirSync(folder), []);
  }));
