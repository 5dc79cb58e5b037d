import { permutation } from "../kernels/random/distributions.ts";
import { drawGoal, type Room, roomParams } from "./dark_room.ts";
import { CORNER_MOVES, cornerTable } from "./dark_room_dpt.ts";
import { num } from "./params.ts";
import { defineTabular } from "./tabular.ts";

/** `order[action]` is the action of `dark-room-dpt` that it really takes. */
interface PermutedRoom extends Room {
  readonly order: ReadonlyArray<number>;
}

/**
 * The room of `dark-room-dpt` with its goal always in the far corner, and one of
 * the 120 orders of its five actions (Lee and others 2023, arXiv 2306.14892):
 * what is to be found out is what the actions do.
 */
export const darkRoomPermuted = defineTabular<PermutedRoom>({
  name: "dark-room-permuted",
  version: 1,
  summary: "Reach the far corner by actions of unknown order",
  params: roomParams(10, 100),
  label: (params) => `${params.size}x${params.size}`,
  sampleTask: (random, params) => {
    const size = num(params, "size");
    return {
      size,
      horizon: num(params, "horizon"),
      goal: size * size - 1,
      order: Array.from(permutation(random, CORNER_MOVES.length)),
    };
  },
  horizon: (room) => room.horizon,
  world: ({ size, order }) => [size, order],
  table: (room) => cornerTable(room, room.order.map((i) => CORNER_MOVES[i]!)),
  render: (room, state) =>
    `${drawGoal(room, 0, state)}\nactions ${room.order.join(" ")}`,
});
