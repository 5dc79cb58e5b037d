/** Ends well if a device, the first argument, is here. */
import { Graph } from "../../../kernels/onnx/graph.ts";
import { type Device, openSession } from "../../../kernels/onnx/session.ts";

const graph = new Graph();
graph.output("y", graph.input("x", "float32", [1]));
const session = await openSession(graph, { device: Deno.args[0] as Device });
await session.release();
