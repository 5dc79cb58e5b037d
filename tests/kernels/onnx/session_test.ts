import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { Graph } from "../../../kernels/onnx/graph.ts";
import {
  add,
  expand,
  floor,
  transpose,
} from "../../../kernels/onnx/operators.ts";
import {
  DEVICES,
  MemoryError,
  openSession,
  SessionError,
  type SessionOptions,
} from "../../../kernels/onnx/session.ts";
import { deviceTest, isHere } from "./devices.ts";

/** Counts by `by`: `next` is `count` and `by`; `floor` is of `by`. */
function counter(): Graph {
  const graph = new Graph();
  const [count, by] = ["count", "by"].map((name) =>
    graph.input(name, "float32", [2])
  );
  graph.output("next", add(count!, by!));
  graph.output("floor", floor(by!));
  return graph;
}

const FEEDBACK = { next: "count" };
const BY = { by: Float32Array.of(1.5, 2) };

for (const device of DEVICES) {
  const here = await isHere(device);
  deviceTest("state goes round", device, async () => {
    const options = { device, feedback: FEEDBACK };
    const session = await openSession(counter(), options);
    const start = Float32Array.of(10, 20);
    session.set("count", start);
    for (let i = 0; i < 4; i++) {
      deepEqual(await session.run(BY), { floor: Float32Array.of(1, 2) });
    }
    deepEqual(await session.get("count"), Float32Array.of(16, 28));
    deepEqual(start, Float32Array.of(10, 20), "set() copies");
    session.set("count", start);
    await session.run(BY);
    deepEqual(await session.get("count"), Float32Array.of(11.5, 22));
    await session.release();
  });
  if (device === "cpu") continue;
  Deno.test({
    name: `a missing ${device} is said to be missing`,
    ignore: here,
    async fn() {
      await rejects(openSession(counter(), { device }), (error: Error) => {
        match(error.message, new RegExp(`on ${device}; is it there`));
        match(error.message, /Here are [a-z,]*cpu/);
        return error instanceof SessionError;
      });
    },
  });
}

async function fails(
  options: SessionOptions,
  feeds: Parameters<Awaited<ReturnType<typeof openSession>>["run"]>[0],
  why: RegExp,
): Promise<void> {
  const run = async () => {
    const session = await openSession(counter(), options);
    await session.run(feeds);
  };
  await rejects(run, (error: Error) => {
    match(error.message, why);
    equal(error instanceof MemoryError, false);
    return error instanceof SessionError;
  });
}

Deno.test("a run that wants more memory than there is says so", async () => {
  const graph = new Graph();
  const x = graph.input("x", "float32", [1]);
  // 2^42 numbers, 16 TiB.
  graph.output("y", expand(x, [2 ** 21, 2 ** 21]));
  const session = await openSession(graph);
  const run = session.run({ x: Float32Array.of(1) });
  await rejects(run, (error: Error) => {
    equal(error instanceof MemoryError, true, error.message);
    return error instanceof SessionError;
  });
  await session.release();
});

Deno.test("runs refuse what does not fit", async () => {
  const count = Float32Array.of(1, 2);
  await fails({}, BY, /^count has not been given/);
  await fails({ feedback: FEEDBACK }, BY, /^count has not been given/);
  await fails({}, { ...BY, count: Float32Array.of(1) }, /float32\[2\], not/);
  await fails({}, { by: Int32Array.of(1, 2), count }, /not Int32Array of 2/);
  await fails({ feedback: { none: "count" } }, BY, /none cannot feed count/);
  await fails({ feedback: { next: "none" } }, BY, /next cannot feed none/);
  const session = await openSession(counter(), { feedback: FEEDBACK });
  await rejects(session.get("count"), /count has not been set/);
  await rejects(session.get("none"), /The graph has no input none/);
  await session.release();
});

Deno.test("the state that is read is not the one that is written", async () => {
  const graph = new Graph();
  const x = graph.input("x", "float32", [64, 64]);
  graph.output("next", transpose(x));
  const session = await openSession(graph, { feedback: { next: "x" } });
  const start = Float32Array.from({ length: 64 * 64 }, (_, i) => i);
  session.set("x", start);
  for (let i = 0; i < 4; i++) await session.run();
  deepEqual(await session.get("x"), start);
  await session.release();
});

Deno.test("state on the host may be written", async () => {
  const session = await openSession(counter(), { feedback: FEEDBACK });
  throws(() => session.held("count"), SessionError);
  session.set("count", Float32Array.of(0, 0));
  session.held("count")[1] = 7;
  await session.run(BY);
  deepEqual(session.held("count"), Float32Array.of(1.5, 9));
  await session.release();
});

/** Runs TypeScript by itself; `maps` are the files that it has in memory. */
function mapped(script: string): string {
  const maps = "Deno.readTextFileSync('/proc/self/maps')";
  const text = `${script}; Deno.stdout.writeSync(
    new TextEncoder().encode(${maps}))`;
  const cwd = new URL("../../..", import.meta.url);
  return execFileSync(Deno.execPath(), ["eval", text], {
    cwd,
    encoding: "utf8",
  });
}

Deno.test({
  name: "ONNX Runtime is loaded when a session opens, not before",
  ignore: Deno.build.os !== "linux",
  fn() {
    const script = `const s = await import("./kernels/onnx/session.ts");
      const g = await import("./kernels/onnx/graph.ts");
      const graph = new g.Graph();
      graph.output("y", graph.input("x", "float32", [1]))`;
    equal(/libonnxruntime/.test(mapped(script)), false);
    match(mapped(`${script}; await s.openSession(graph)`), /libonnxruntime/);
  },
});
