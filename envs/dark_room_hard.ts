import {
  anyGoal,
  centre,
  COMPASS,
  drawGoal,
  type Room,
  roomParams,
  roomTable,
} from "./dark_room.ts";
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
  ...anyGoal,
  table: (room) => {
    const table = roomTable(room, centre(room.size), COMPASS);
    table.terminal.set(table.success);
    return table;
  },
  render: (room, state) => drawGoal(room, centre(room.size), state),
});
