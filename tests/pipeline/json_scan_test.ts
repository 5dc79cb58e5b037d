import {
  AssertionError,
  deepEqual,
  equal,
  ok,
  throws,
} from "node:assert/strict";
import * as fc from "fast-check";
import {
  type Cursor,
  cursor,
  place,
  readNumber,
  skipList,
  skipSpace,
  skipValue,
  Syntax,
} from "../../pipeline/json_scan.ts";
import { numbers, readNumbers } from "../../pipeline/json_numbers.ts";

const utf8 = new TextEncoder();

function over(text: string): Cursor {
  const bytes = utf8.encode(text);
  const c = cursor();
  place(c, bytes, 0, bytes.length);
  return c;
}

/** Whether the scanner takes the whole text for one value. */
function accepts(text: string): boolean {
  const c = over(text);
  try {
    skipSpace(c);
    skipValue(c);
    skipSpace(c);
    return c.at === c.end;
  } catch (error) {
    ok(error instanceof Syntax);
    return false;
  }
}

/** The same question put to the engine's own parser. */
function engineAccepts(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const finite = (text: string) => !/\d{300,}|[eE]\+?\d{3,}/.test(text);

Deno.test("skipValue() takes what JSON.stringify prints", () =>
  fc.assert(fc.property(fc.json(), (text) => ok(accepts(text)))));

Deno.test("skipValue() and JSON.parse agree on texts of JSON's characters", () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          ...'[]{},:"0123456789-.eE tfn\\u',
          "true",
          "null",
          '"a":',
          "12,",
          ",0",
          "0,1,2,3,",
        ),
        { maxLength: 24 },
      ),
      (parts) => {
        const text = parts.join("");
        if (!finite(text)) return;
        equal(accepts(text), engineAccepts(text), JSON.stringify(text));
        const list = `[${text}]`;
        equal(accepts(list), engineAccepts(list), JSON.stringify(list));
      },
    ),
    { numRuns: 20000 },
  ));

Deno.test("skipValue() refuses what JSON refuses", () => {
  const bad = [
    "[1,]",
    "[,1]",
    "[01]",
    "[1,02,3,4]",
    "[0,00]",
    "[10,,2]",
    "[1 2]",
    "+1",
    "1.",
    ".5",
    "-",
    "1e",
    "NaN",
    "Infinity",
    "tru",
    "{a:1}",
    '{"a"}',
    '"\n"',
    '"\\x"',
    '"\\u12g4"',
    "[1",
    '{"a":1,}',
    "[00,1,2]",
    "[1,2,3,0123]",
    "1e999",
  ];
  for (const text of bad) equal(accepts(text), false, text);
});

const integers = fc.array(
  fc.oneof(fc.nat(9), fc.nat(99), fc.nat(99999), fc.integer()),
  { maxLength: 60 },
);

Deno.test("skipList() counts entries", () => {
  fc.assert(
    fc.property(integers, (list) => {
      equal(skipList(over(JSON.stringify(list))), list.length);
      equal(
        skipList(over(JSON.stringify(list, null, 1).replaceAll("\n", " "))),
        list.length,
      );
    }),
    { numRuns: 2000 },
  );
  fc.assert(fc.property(fc.array(fc.jsonValue()), (list) => {
    equal(skipList(over(JSON.stringify(list))), list.length);
  }));
});

Deno.test("readNumber() reads what JSON.parse reads", () =>
  fc.assert(
    fc.property(
      fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
        fc.tuple(fc.integer(), fc.nat(999999999)).map(([a, b]) => `${a}.${b}`),
        fc.tuple(fc.integer(), fc.integer({ min: -300, max: 280 }))
          .map(([a, e]) => `${a}e${e}`),
      ),
      (text) => equal(readNumber(over(text)), JSON.parse(text)),
    ),
    { numRuns: 5000 },
  ));

Deno.test("readNumbers() reads lists onto the end, however long", () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.constant(0),
          fc.nat(9),
          fc.nat(99),
          fc.integer({ min: -2000, max: 2000 }),
          fc.double({ noNaN: true, noDefaultInfinity: true }),
        ),
        { maxLength: 50 },
      ),
      (list) => {
        const into = numbers(1);
        const text = JSON.stringify(list);
        equal(readNumbers(over(text), into), list.length);
        equal(readNumbers(over(text), into), list.length);
        const read = [...into.values.subarray(0, into.length)];
        deepEqual(
          read,
          JSON.parse(`[${[...list, ...list].map((x) => JSON.stringify(x))}]`),
        );
      },
    ),
  ));

/** The list of numbers that a text is, for the engine's own parser. */
function engineList(text: string): ReadonlyArray<number> | undefined {
  try {
    const list = JSON.parse(text);
    return list.every(Number.isFinite) ? list : undefined;
  } catch {
    return undefined;
  }
}

Deno.test("readNumbers() and JSON.parse agree on digits and what is near them", () => {
  // Entries as they are printed, or with a zero in front, or with a character that is next to digits.
  const digits = fc.oneof(
    fc.nat(1200).map(String),
    fc.nat(120).map((n) => `0${n}`),
  );
  const near = fc.constantFrom(...",,/:;.-+0 e\x1c<=>?lpqy|\x80");
  const text = fc.array(fc.oneof({ weight: 9, arbitrary: digits }, near), {
    maxLength: 9,
  }).chain((parts) =>
    fc.constantFrom(parts.join(","), parts.join(""), `${parts.join(",")},7,7,7`)
  ).map((inner) => `[${inner}]`);
  fc.assert(
    fc.property(text, (text) => {
      const expected = engineList(text);
      const into = numbers(1);
      const c = over(text);
      try {
        readNumbers(c, into);
        equal(c.at, c.end);
      } catch (error) {
        ok(error instanceof Syntax || error instanceof AssertionError);
        return equal(expected, undefined, text);
      }
      deepEqual([...into.values.subarray(0, into.length)], expected, text);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("readNumbers() names what is not a number", () => {
  throws(() => readNumbers(over("[0,NaN]"), numbers()), {
    message: 'a number expected, found "NaN]"',
  });
  throws(() => readNumbers(over("[0,0,null]"), numbers()), Syntax);
  throws(() => readNumbers(over("[1e400]"), numbers()), {
    message: /^a finite number expected/,
  });
});
