import { drawAction } from "../actions.ts";
import type { Policy } from "./policy.ts";

/** Every action equally likely, at every step. */
export const randomPolicy: Policy = {
  name: "random",
  summary: "Uniform actions",
  params: {},
  start: ({ box, actions, random }) => ({
    act: () => drawAction(box ?? actions, random),
  }),
};
