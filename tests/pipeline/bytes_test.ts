import { equal, ok } from "node:assert/strict";
import * as fc from "fast-check";
import {
  NUMBER_WIDTH,
  obtain,
  putAscii,
  putNumber,
  putText,
  recycle,
  writeInteger,
  writeNanos,
  writer,
} from "../../pipeline/bytes.ts";

const decoder = new TextDecoder();

function printed(x: number): string {
  const out = writer(0);
  putNumber(out, x);
  return decoder.decode(out.bytes.subarray(0, out.length));
}

function nanos(x: number): string {
  const out = writer(64);
  return decoder.decode(out.bytes.subarray(0, writeNanos(out, 0, x)));
}

const decimals = fc.tuple(
  fc.integer({ min: -2e9, max: 2e9 }),
  fc.integer({ min: 0, max: 9 }),
).map(([n, places]) => n / 10 ** places);
const doubles = fc.double({ noNaN: true, noDefaultInfinity: true });
const numbers = fc.oneof(decimals, doubles, fc.integer(), fc.maxSafeInteger());

Deno.test("putNumber() prints what JSON.stringify prints", () =>
  fc.assert(
    fc.property(numbers, (x) => equal(printed(x), JSON.stringify(x))),
    { numRuns: 5000 },
  ));

Deno.test("putNumber() prints edges", () => {
  const edges = [0, -0, 1e-6, 1e-7, 999999999, 1e9, 1e21, 0.1 + 0.2, 5e-324];
  for (const x of edges) equal(printed(x), JSON.stringify(x));
  for (const x of edges) equal(printed(-x), JSON.stringify(-x));
  ok(JSON.stringify(-Number.MAX_VALUE).length <= NUMBER_WIDTH);
});

Deno.test("writeInteger() prints integers below 10^9", () =>
  fc.assert(fc.property(fc.nat(999_999_999), (n) => {
    const bytes = new Uint8Array(9);
    equal(decoder.decode(bytes.subarray(0, writeInteger(bytes, 0, n))), `${n}`);
  })));

Deno.test("writeNanos() is within half of 10^-9, and no longer than that", () =>
  fc.assert(
    fc.property(
      fc.oneof(decimals, fc.double({ min: -1e5, max: 1e5, noNaN: true })),
      (x) => {
        const text = nanos(x);
        ok(
          Math.abs(Number(text) - x) <= 5.0001e-10 + Math.abs(x) * 1e-15,
          text,
        );
        ok((text.split(".")[1] ?? "").length <= 9, text);
        ok(!/\.(.*0)?$/.test(text), text);
      },
    ),
    { numRuns: 5000 },
  ));

Deno.test("writeNanos() prints edges", () => {
  equal(nanos(0.9999999999), "1");
  equal(nanos(-0.9999999999), "-1");
  equal(nanos(-1e-12), "0");
  equal(nanos(1.5), "1.5");
  equal(nanos(-3), "-3");
  equal(nanos(0.000000001), "0.000000001");
  equal(nanos(123456789.5), "123456789.5");
});

Deno.test("putText() and putAscii() grow the writer", () => {
  const out = writer(1);
  putText(out, "größer");
  putAscii(out, new TextEncoder().encode(" yet"));
  equal(decoder.decode(out.bytes.subarray(0, out.length)), "größer yet");
});

Deno.test("recycle() takes back what obtain() gave, once, and nothing else", () => {
  const own = new Uint8Array(12345);
  recycle(own.subarray(0, 1));
  const given = obtain(12345);
  ok(given.buffer !== own.buffer);
  recycle(given.subarray(0, 1));
  recycle(given);
  ok(obtain(12345).buffer === given.buffer);
  ok(obtain(12345).buffer !== given.buffer);
});
