/**
 * The thread of {@linkcode hasher}.
 *
 * @module
 */
import { answering } from "./answering.ts";
import { hashFile } from "./digest.ts";

answering(hashFile);
