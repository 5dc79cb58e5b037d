/**
 * How answers print: one value a line for programs, columns for people.
 *
 * @module
 */
import type { Answer, Cell } from "./duckdb.ts";

export const FORMATS = ["table", "json", "jsonl", "csv", "parquet"] as const;
export type Format = typeof FORMATS[number];

type Row = ReadonlyArray<Cell>;

/** Prints an answer piece by piece. */
export interface Printer {
  readonly begin: string;
  readonly chunk: (rows: ReadonlyArray<Row>) => string;
  readonly end: () => string;
  /** What a person should know of what was not printed. */
  readonly note: () => string | undefined;
}

/** What JSON.stringify prints, which is slow at what is short. */
function cellText(cell: Cell): string {
  if (typeof cell === "number" || typeof cell === "boolean") return `${cell}`;
  return cell === null ? "null" : JSON.stringify(cell);
}

/** Prints rows as objects with these columns. */
function objectsOf(columns: ReadonlyArray<string>): (row: Row) => string {
  const heads = columns.map((name, i) =>
    `${i === 0 ? "{" : ","}${JSON.stringify(name)}:`
  );
  return (row) => {
    let text = "";
    for (let i = 0; i < heads.length; i++) text += heads[i] + cellText(row[i]!);
    return text + "}";
  };
}

const nothing = { begin: "", end: () => "", note: () => undefined };

function jsonLines({ columns }: Answer): Printer {
  const object = objectsOf(columns);
  const chunk = (rows: ReadonlyArray<Row>) =>
    rows.map((row) => object(row) + "\n").join("");
  return { ...nothing, chunk };
}

function json({ columns }: Answer): Printer {
  const object = objectsOf(columns);
  let separator = "\n";
  const chunk = (rows: ReadonlyArray<Row>) =>
    rows.map((row) => {
      const text = separator + object(row);
      separator = ",\n";
      return text;
    }).join("");
  return { ...nothing, begin: "[", chunk, end: () => "\n]\n" };
}

function plain(cell: Cell): string {
  if (cell === null) return "";
  return typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}

/** A cell as RFC 4180 has it. */
function csvCell(cell: Cell): string {
  const text = plain(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csv({ columns }: Answer): Printer {
  const line = (cells: Row) => cells.map(csvCell).join(",") + "\n";
  const chunk = (rows: ReadonlyArray<Row>) => rows.map(line).join("");
  return { ...nothing, begin: line(columns), chunk };
}

const MOST_ROWS = 1000;
const WIDEST = 48;

/** A cell on one line, cut where it is long; control codes are shown. */
function tableCell(cell: Cell): string {
  const text = plain(cell).replace(
    // deno-lint-ignore no-control-regex
    /[\u0000-\u001f\u007f-\u009f]/g,
    (code) => JSON.stringify(code).slice(1, -1),
  );
  const characters = [...text];
  if (characters.length <= WIDEST) return text;
  return characters.slice(0, WIDEST - 1).join("") + "…";
}

function lined(
  { columns, numeric }: Answer,
  rows: ReadonlyArray<ReadonlyArray<string>>,
): string {
  const heads = columns.map(tableCell);
  const width = (i: number) =>
    rows.reduce(
      (w, row) => Math.max(w, [...row[i]!].length),
      [...heads[i]!].length,
    );
  const widths = columns.map((_, i) => width(i));
  const pad = (text: string, i: number) => {
    const space = " ".repeat(widths[i]! - [...text].length);
    return numeric[i] ? space + text : text + space;
  };
  const line = (cells: ReadonlyArray<string>) =>
    cells.map(pad).join("  ").trimEnd() + "\n";
  const rule = widths.map((w) => "─".repeat(w));
  return [heads, rule, ...rows].map(line).join("");
}

function table(answer: Answer): Printer {
  const kept: Array<ReadonlyArray<string>> = [];
  let count = 0;
  const chunk = (rows: ReadonlyArray<Row>) => {
    for (const row of rows) {
      if (count++ < MOST_ROWS) kept.push(row.map(tableCell));
    }
    return "";
  };
  const note = () =>
    count > MOST_ROWS
      ? `first ${MOST_ROWS} of ${count} rows; --format jsonl prints them all`
      : undefined;
  return { begin: "", chunk, end: () => lined(answer, kept), note };
}

/** The printer of a format; Parquet is no text and has none. */
export const PRINTERS: {
  readonly [format in Exclude<Format, "parquet">]: (answer: Answer) => Printer;
} = { table, json, jsonl: jsonLines, csv };
