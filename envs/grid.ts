/**
 * Rooms of square cells. The cell of column `x` and row `y` is
 * `y * width + x`; row 0 is the top one.
 *
 * @module
 */

/** A move by columns and rows. */
export type Move = readonly [dx: number, dy: number];

/**
 * The cell that each move leads to, at `cell * moves.length + move`; a wall
 * stops what would leave the room.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * deepEqual([...walk(2, 1, [[0, 0], [1, 0]])], [0, 1, 1, 1]);
 * ```
 */
export function walk(
  width: number,
  height: number,
  moves: ReadonlyArray<Move>,
): Int32Array {
  const next = new Int32Array(width * height * moves.length);
  let i = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (const [dx, dy] of moves) {
        const column = Math.min(width - 1, Math.max(0, x + dx));
        const row = Math.min(height - 1, Math.max(0, y + dy));
        next[i++] = row * width + column;
      }
    }
  }
  return next;
}

/** The room as text: `marks` by cell, the later ones on top, dots elsewhere. */
export function drawRoom(
  width: number,
  height: number,
  marks: ReadonlyArray<readonly [cell: number | undefined, mark: string]>,
): string {
  const cells = new Array<string>(width * height).fill(".");
  for (const [cell, mark] of marks) {
    if (cell !== undefined) cells[cell] = mark;
  }
  const rows = Array.from(
    { length: height },
    (_, y) => cells.slice(y * width, (y + 1) * width).join(""),
  );
  return rows.join("\n");
}
