import { integer } from "../kernels/random/generator.ts";
import { COMPASS, roomParams } from "./dark_room.ts";
import { drawRoom, walk } from "./grid.ts";
import { num } from "./params.ts";
import { blankTable, defineTabular } from "./tabular.ts";
import type { Table } from "./table.ts";

interface Rooms {
  readonly size: number;
  readonly horizon: number;
  readonly key: number;
  readonly door: number;
  /** The cell of every start, or null where each episode draws its own. */
  readonly start: number | null;
}

/** State `cell + cells * held`; of which the agent sees only the cell. */
function table({ size, key, door, start }: Rooms): Table {
  const cells = size * size;
  const starts = start === null
    ? Array.from({ length: cells }, (_, cell) => cell)
    : [start];
  const blank = blankTable(2 * cells, COMPASS.length, 1, starts);
  const moves = walk(size, size, COMPASS);
  for (let k = 0; k < blank.next.length; k++) {
    const held = k >= moves.length;
    const cell = moves[k % moves.length]!;
    const holds = held || cell === key;
    const opens = holds && cell === door;
    blank.next[k] = cell + (holds ? cells : 0);
    blank.reward[k] = Number(holds && !held) + Number(opens);
    blank.terminal[k] = blank.success[k] = opens ? 1 : 0;
  }
  const observation = Int32Array.from(
    { length: 2 * cells },
    (_, state) => state % cells,
  );
  return { ...blank, observation, observationCount: cells };
}

/**
 * Dark Key-to-Door (Laskin and others 2023): 1 for the first step onto the
 * hidden key, 1 for a step onto the hidden door with the key, which ends the
 * episode. Key, door and start are any cells, also the same one: a key that lies
 * at the door opens it in the same step, for 2.
 */
export const keyToDoor = defineTabular<Rooms>({
  name: "key-to-door",
  version: 1,
  summary: "Find an unseen key, then the unseen door that it opens",
  params: {
    ...roomParams(9, 50),
    "fixed-start": {
      default: false,
      summary: "Start every episode of a task in the same cell",
    },
  },
  label: (params) => `${params.size}x${params.size}`,
  sampleTask: (random, params) => {
    const size = num(params, "size");
    return {
      size,
      horizon: num(params, "horizon"),
      key: integer(random, size * size),
      door: integer(random, size * size),
      start: params["fixed-start"] ? integer(random, size * size) : null,
    };
  },
  horizon: (rooms) => rooms.horizon,
  world: ({ size, key, door, start }) => [size, key, door, start],
  table,
  render: ({ size, key, door, start }, state) =>
    drawRoom(size, size, [
      [start ?? undefined, "S"],
      [door, "D"],
      [key, "K"],
      [state === undefined ? undefined : state % (size * size), "@"],
    ]),
});
