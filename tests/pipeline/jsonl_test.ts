/** Chunks of bytes as batches of whole lines. */
import { deepEqual, equal } from "node:assert/strict";
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import * as fc from "fast-check";
import { obtain } from "../../pipeline/bytes.ts";
import { toBatches } from "../../pipeline/jsonl.ts";
import type { Batch } from "../../pipeline/lines.ts";

const utf8 = new TextEncoder();
const decoder = new TextDecoder();

/** How a reader leaves a batch: still held, given back, or with its lines counted. */
const leavings = {
  hold: () => {},
  release: (batch: Batch) => batch.release!(),
  count: (batch: Batch) =>
    batch.release!(decoder.decode(batch.bytes).split("\n").length - 1),
};
type Leaving = keyof typeof leavings;

/** What files are read into: memory that serves again when it is given back. */
function lent(text: string): Uint8Array {
  const bytes = utf8.encode(text);
  const chunk = obtain(64);
  chunk.set(bytes);
  return chunk.subarray(0, bytes.length);
}

Deno.test("batches know their first line, however those before were left", async () => {
  const any = fc.record({
    lines: fc.array(fc.nat(9), { minLength: 1, maxLength: 60 }),
    isWhole: fc.boolean(),
    cuts: fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1 }),
    leave: fc.array(fc.constantFrom<Leaving>("hold", "release", "count"), {
      minLength: 1,
    }),
  });
  await fc.assert(
    fc.asyncProperty(any, async ({ lines, isWhole, cuts, leave }) => {
      const whole = lines.map((n) => "x".repeat(n) + "\n").join("") +
        (isWhole ? "" : "end");
      const chunks = function* () {
        for (let at = 0, i = 0; at < whole.length; i++) {
          const from = at;
          at += cuts[i % cuts.length]!;
          yield lent(whole.slice(from, at));
        }
      };
      const seen: Array<readonly [string, number, number]> = [];
      await Effect.runPromise(
        Stream.runForEach(
          toBatches(Stream.fromIterable(chunks(), { chunkSize: 1 }), "test"),
          (batch) =>
            Effect.sync(() => {
              const text = decoder.decode(batch.bytes);
              seen.push([text, batch.place.line, batch.offset]);
              leavings[leave[seen.length % leave.length]!](batch);
            }),
        ),
      );
      const texts = seen.map(([text]) => text).join("");
      equal(texts, isWhole ? whole : `${whole}\n`);
      let offset = 0;
      for (const [text, line, at] of seen) {
        const before = whole.slice(0, offset);
        deepEqual([line, at], [before.split("\n").length, offset], text);
        offset += text.length;
      }
    }),
  );
});
