import { equal, notEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { shortest } from "../../kernels/float32.ts";
import { peerTest, python } from "../peers.ts";

/** Any finite 32-bit float, each pattern of bits as likely. */
const floats = fc.uint32Array({ minLength: 1, maxLength: 1 })
  .map((bits) => new Float32Array(bits.buffer)[0]!)
  .filter((x) => Number.isFinite(x));

/** Significant digits that a number prints with. */
function digits(x: number): number {
  return x.toExponential().split("e")[0]!.replace(/[-.]/g, "").length;
}

Deno.test("shortest() reads back, and nothing shorter does", () =>
  fc.assert(
    fc.property(floats, (x) => {
      const found = shortest(x);
      equal(Math.fround(found), x);
      const fewer = digits(found) - 1;
      if (fewer > 0) notEqual(Math.fround(Number(x.toPrecision(fewer))), x);
    }),
    { numRuns: 5000 },
  ));

Deno.test("shortest() gives back what had six digits", () =>
  fc.assert(
    fc.property(
      fc.integer({ min: -999_999, max: 999_999 }),
      fc.integer({ min: -37, max: 32 }),
      (mantissa, exponent) => {
        const x = Number(`${mantissa}e${exponent}`);
        if (Math.abs(x) < 2 ** -126 && x !== 0) return;
        equal(shortest(Math.fround(x)), x + 0);
      },
    ),
    { numRuns: 5000 },
  ));

Deno.test("seven digits need not survive a 32-bit float", () => {
  const [a, b] = [8.589973e9, 8.589974e9];
  equal(Math.fround(a), Math.fround(b));
  ok(shortest(Math.fround(a)) !== a || shortest(Math.fround(b)) !== b);
});

peerTest(
  "shortest() is what numpy prints",
  ["numpy"],
  async () => {
    const powers = Array.from({ length: 277 }, (_, i) => 2 ** (i - 149));
    const drawn = fc.sample(floats, { numRuns: 2000, seed: 3 });
    const all = [...powers, ...powers.map((x) => -x), ...drawn, 0.1, 33554430]
      .map(Math.fround);
    const bits = new Uint32Array(Float32Array.from(all).buffer);
    const printed: ReadonlyArray<string> = JSON.parse(
      await python("float32_peer.py", [JSON.stringify([...bits])]),
    );
    equal(printed.length, all.length);
    all.forEach((x, i) => {
      const [own, theirs] = [shortest(x), Number(printed[i])];
      equal(digits(own), digits(theirs), `${own} ${theirs}`);
      // Of two that are as near, numpy takes the even one.
      const [far, wide] = [Math.abs(own - x), Math.abs(theirs - x)];
      ok(far <= wide * (1 + 1e-9), `${own} ${theirs}`);
    });
  },
);
