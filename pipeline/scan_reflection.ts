/**
 * Where things stand in the reflection of an episode.
 *
 * @module
 */
import {
  type Cursor,
  enter,
  nextMember,
  readNumber,
  skipValue,
} from "./json_scan.ts";
import { namesOf, readKey } from "./names.ts";
import {
  REFLECTION,
  REFLECTION_ADVANTAGE,
  REFLECTION_CLOSE,
  REFLECTION_RETURN,
  REFLECTION_VALID,
  type RowIndex,
} from "./row_index.ts";

const reflectionNames = namesOf([
  "text",
  "valid",
  "source",
  "return",
  "advantage",
]);
/** Where the value of each of these names is noted; -1 nowhere. */
const REFLECTION_PLACES = [
  -1,
  REFLECTION_VALID,
  -1,
  REFLECTION_RETURN,
  REFLECTION_ADVANTAGE,
];
/** The first of the names whose values are numbers. */
const REFLECTION_NUMBERS = 3;

/** Reads the reflection at the cursor, of the episode that is being read. */
export function scanReflection(c: Cursor, row: RowIndex): void {
  const at = REFLECTION * row.episodes;
  row.reflections.fill(0, at, at + REFLECTION);
  for (let more = enter(c), key = -1; more; more = nextMember(c)) {
    key = readKey(c, reflectionNames, key + 1);
    const from = c.at;
    if (key >= REFLECTION_NUMBERS) readNumber(c);
    else skipValue(c);
    const to = key < 0 ? -1 : REFLECTION_PLACES[key]!;
    if (to < 0) continue;
    row.reflections[at + to] = from;
    row.reflections[at + to + 1] = c.at;
  }
  row.reflections[at + REFLECTION_CLOSE] = c.at - 1;
}
