/**
 * Graphs as the bytes of an ONNX `ModelProto`, and back to names and shapes. Only
 * the few messages and fields that a graph here needs are described, by the
 * numbers of `onnx.proto3`; Protocol Buffers' own library writes them.
 *
 * @module
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Attribute, Data, Graph, Node, Tensor } from "./graph.ts";
import { DATA_TYPE } from "./operators.ts";

/** Version 9 of the format goes with operators of set 20 (ONNX 1.15, 2023). */
const IR_VERSION = 9;
const OPSET = 20;
/** Fields of `AttributeProto`, and its enumeration of kinds. */
const KIND = { float: 1, int: 2, text: 3, ints: 7 } as const;

type Write = (writer: BinaryWriter) => void;

function message(writer: BinaryWriter, field: number, write: Write): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function integer(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value);
}

function writeAttribute(name: string, attribute: Attribute): Write {
  return (to) => {
    text(to, 1, name);
    if ("float" in attribute) {
      to.tag(2, WireType.Bit32).float(attribute.float);
      integer(to, 20, KIND.float);
    } else if ("int" in attribute) {
      integer(to, 3, attribute.int);
      integer(to, 20, KIND.int);
    } else if ("text" in attribute) {
      text(to, 4, attribute.text);
      integer(to, 20, KIND.text);
    } else {
      for (const value of attribute.ints) integer(to, 8, value);
      integer(to, 20, KIND.ints);
    }
  };
}

type Naming = (tensor: Tensor) => string;

function writeNode(node: Node, nameOf: Naming): Write {
  return (to) => {
    for (const input of node.inputs) text(to, 1, nameOf(input));
    for (const output of node.outputs) text(to, 2, nameOf(output));
    text(to, 4, node.op);
    for (const [name, attribute] of Object.entries(node.attributes)) {
      message(to, 5, writeAttribute(name, attribute));
    }
  };
}

function writeConstant(tensor: Tensor, name: string, data: Data): Write {
  return (to) => {
    for (const length of tensor.shape) integer(to, 1, length);
    integer(to, 2, DATA_TYPE[tensor.dtype]);
    text(to, 8, name);
    const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    to.tag(9, WireType.LengthDelimited).bytes(raw);
  };
}

/** Name, element type and shape: a `ValueInfoProto`. */
function writeValue({ dtype, shape }: Tensor, name: string): Write {
  return (to) => {
    text(to, 1, name);
    message(to, 2, (type) =>
      message(type, 1, (tensor) => {
        integer(tensor, 1, DATA_TYPE[dtype]);
        message(tensor, 2, (dimensions) => {
          for (const length of shape) {
            message(
              dimensions,
              1,
              (dimension) => integer(dimension, 1, length),
            );
          }
        });
      }));
  };
}

/** Outputs by their names; each more than one name of a tensor is a copy. */
function naming(graph: Graph): { nameOf: Naming; copies: Array<Node> } {
  const names = new Map<Tensor, string>();
  const copies: Array<Node> = [];
  for (const [name, tensor] of graph.outputs) {
    const isMade = !graph.constants.has(tensor) &&
      graph.inputs.get(tensor.name) !== tensor;
    if (isMade && !names.has(tensor)) names.set(tensor, name);
    else {
      const outputs = [{ ...tensor, name }];
      copies.push({
        op: "Identity",
        inputs: [tensor],
        outputs,
        attributes: {},
      });
    }
  }
  return { nameOf: (tensor) => names.get(tensor) ?? tensor.name, copies };
}

function writeGraph(graph: Graph, to: BinaryWriter): void {
  const { nameOf, copies } = naming(graph);
  const nodes = [...graph.live(), ...copies];
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  for (const node of nodes) message(to, 1, writeNode(node, nameOf));
  text(to, 2, "retrial");
  for (const [tensor, data] of graph.constants) {
    if (!used.has(tensor)) continue;
    message(to, 5, writeConstant(tensor, tensor.name, data));
  }
  for (const [name, tensor] of graph.inputs) {
    message(to, 11, writeValue(tensor, name));
  }
  for (const [name, tensor] of graph.outputs) {
    message(to, 12, writeValue(tensor, name));
  }
}

/**
 * The bytes of a graph as a file `.onnx` holds them (`onnx.proto3`, ModelProto).
 * Numbers are little-endian, as all machines that run this are.
 *
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { Graph } from "./graph.ts";
 *
 * const graph = new Graph();
 * graph.output("y", graph.input("x", "float32", [2]));
 * equal(modelBytes(graph)[0], 8, "the field ir_version");
 * ```
 */
export function modelBytes(graph: Graph): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  integer(writer, 1, IR_VERSION);
  text(writer, 2, "retrial");
  message(writer, 7, (to) => writeGraph(graph, to));
  message(writer, 8, (to) => {
    text(to, 1, "");
    integer(to, 2, OPSET);
  });
  return writer.finish();
}
