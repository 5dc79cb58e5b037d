import { integer } from "../kernels/random/generator.ts";
import {
  centre,
  COMPASS,
  drawGoal,
  type Room,
  roomParams,
  roomTable,
} from "./dark_room.ts";
import { num } from "./params.ts";
import { defineTabular } from "./tabular.ts";

/**
 * Dark Room Hard (Laskin and others 2023): a larger room that pays once, on
 * reaching the goal, which ends the episode. The start is the centre; a goal
 * there is reached by a step that stays.
 */
export const darkRoomHard = defineTabular<Room>({
  name: "dark-room-hard",
  version: 1,
  summary: "Find the unseen goal of a large room, which pays once",
  params: roomParams(17, 20),
  label: (params) => `${params.size}x${params.size}`,
  sampleTask: (random, params) => {
    const size = num(params, "size");
    const goal = integer(random, size * size);
    return { size, horizon: num(params, "horizon"), goal };
  },
  horizon: (room) => room.horizon,
  world: ({ size, goal }) => [size, goal],
  table: (room) => {
    const table = roomTable(room, centre(room.size), COMPASS);
    table.terminal.set(table.success);
    return table;
  },
  render: (room, state) => drawGoal(room, centre(room.size), state),
});
