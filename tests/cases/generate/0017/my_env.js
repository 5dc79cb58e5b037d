// coin.ts
export default {
  name: "coin", version: 1, summary: "One side pays", params: {},
  sampleTask: (random) => ({ pays: random[0] & 1 }),
  observations: () => ({ kind: "discrete", n: 1 }),
  actions: () => 2,
  horizon: () => 5,
  reset: () => ({ state: 0, observation: 0 }),
  step: (task, state, action) => { if (state === 0) throw new TypeError("no step"); return {
    state, observation: 0, reward: action === task.pays ? 1 : 0, terminated: false };
  },
};
