/**
 * Cells of logs as the values of rows; what is not one is refused by name.
 *
 * @module
 */
import { Malformed } from "../../scan.ts";
import type { ObservationValue } from "../../schema.ts";

/** A number as JSON writes it. */
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
/** As other programs do: `+1`, `.5`, `1.`, `007`. */
const LOOSE_NUMBER = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/;
const TRUE: ReadonlyArray<unknown> = [true, 1, "1", "true", "True", "TRUE"];
const FALSE: ReadonlyArray<unknown> = [
  false,
  0,
  "0",
  "false",
  "False",
  "FALSE",
];

export function isEmpty(cell: unknown): boolean {
  return cell === undefined || cell === null || cell === "";
}

function shown(cell: unknown): string {
  const text = JSON.stringify(cell) ?? "nothing";
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

function refuse(column: string, cell: unknown, expected: string): never {
  const what = isEmpty(cell) ? "empty" : shown(cell);
  throw new Malformed(`${column} is ${what}, not ${expected}`);
}

/** Doubles hold no integer beyond 2^53 for certain. */
function exact(column: string, value: number): number {
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value;
  throw new Malformed(
    `${column} is ${value}, beyond 2^53: numbers cannot hold it, text can`,
  );
}

/** A finite number, from a number or its text. */
export function asNumber(column: string, cell: unknown): number {
  const text = typeof cell === "string" ? cell.trim() : undefined;
  const isText = text !== undefined && LOOSE_NUMBER.test(text);
  const value = isText ? Number(text) : cell;
  if (typeof value === "number" && Number.isFinite(value)) {
    return exact(column, value);
  }
  return refuse(column, cell, "a finite number");
}

export function asCount(column: string, cell: unknown): number {
  const value = asNumber(column, cell);
  return Number.isInteger(value) ? value : refuse(column, cell, "an integer");
}

/** True, false, or undefined where the cell is empty. */
export function asFlag(column: string, cell: unknown): boolean | undefined {
  if (isEmpty(cell)) return undefined;
  if (TRUE.includes(cell)) return true;
  if (FALSE.includes(cell)) return false;
  // pandas writes flags of a column with gaps as 1.0 and 0.0
  if (cell === "1.0" || cell === "0.0") return cell === "1.0";
  return refuse(column, cell, "true or false");
}

function asVector(column: string, list: ReadonlyArray<unknown>) {
  return list.map((entry, i) => asNumber(`${column}[${i}]`, entry));
}

function parsedList(column: string, cell: string): ReadonlyArray<number> {
  let list: unknown;
  try {
    list = JSON.parse(cell);
  } catch {
    return refuse(column, cell, "a JSON list of numbers");
  }
  if (!Array.isArray(list)) return refuse(column, cell, "a list of numbers");
  return asVector(column, list);
}

/**
 * An observation or action. Text that reads as a number or a list is one, unless
 * the column `isText`: CSV cannot tell them apart.
 */
export function asValue(
  column: string,
  cell: unknown,
  isText: boolean,
): ObservationValue {
  if (isEmpty(cell)) return refuse(column, cell, "a value");
  if (Array.isArray(cell)) return asVector(column, cell);
  if (typeof cell === "number") return asNumber(column, cell);
  if (typeof cell === "boolean") return cell ? 1 : 0;
  if (typeof cell !== "string") {
    return refuse(column, cell, "a number, a list of numbers or text");
  }
  if (isText) return cell;
  if (NUMBER.test(cell)) return asNumber(column, cell);
  return cell.startsWith("[") ? parsedList(column, cell) : cell;
}

/** What kind of value it is; all values of a column must be of one. */
export function kindOf(value: ObservationValue): string {
  if (typeof value === "number") return "a number";
  return typeof value === "string" ? "text" : "a vector";
}

/** A name: text, or a number that reads back as the same text. */
export function asName(column: string, cell: unknown): string {
  if (typeof cell === "string" && cell !== "") return cell;
  if (typeof cell === "number") return String(exact(column, cell));
  if (typeof cell === "boolean") return String(cell);
  return refuse(column, cell, "a name");
}

/** A parameter of a task: `9` is a number, `true` a flag, the rest text. */
export function asParam(
  column: string,
  cell: unknown,
): string | number | boolean {
  if (typeof cell === "boolean") return cell;
  const name = asName(column, cell);
  if (name === "true" || name === "false") return name === "true";
  const value = NUMBER.test(name) ? Number(name) : NaN;
  // Only where nothing is lost: 1.50 and 2^63 stay text.
  return String(value) === name ? value : name;
}
