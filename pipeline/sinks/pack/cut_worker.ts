/**
 * A thread of {@linkcode cutThreads}.
 *
 * @module
 */
import { answering } from "../../answering.ts";
import { bufferOf } from "../../pack_layout.ts";
import { lotCutter } from "./lots.ts";

answering(lotCutter(), ({ bytes, lots }) => [
  bytes.buffer,
  ...lots.map(({ lot }) => bufferOf(lot)),
]);
