import { integer } from "../../kernels/random/generator.ts";
import type { Policy } from "./policy.ts";

/** Every action equally likely, at every step. */
export const randomPolicy: Policy = {
  name: "random",
  summary: "Uniform actions",
  params: {},
  start: ({ actions, random }) => ({ act: () => integer(random, actions) }),
};
