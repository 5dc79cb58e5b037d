/**
 * The other end of a {@linkcode thread}; it imports types alone, so that it starts
 * fast.
 *
 * @module
 */
/// <reference lib="deno.worker" />

import type { StageError } from "./errors.ts";

/** What was thrown, as plain data: a stage's error has a tag, a host's a code. */
export interface Thrown {
  readonly tag?: StageError["_tag"];
  readonly message: string;
  readonly code?: string;
}

/** What comes back for a question. */
export type Reply<Answer> =
  | { readonly answer: Answer }
  | { readonly thrown: Thrown };

export function thrownBy(error: unknown): Thrown {
  const { _tag: tag, message, code } = error as Error & {
    readonly _tag?: StageError["_tag"];
    readonly code?: string;
  };
  return {
    message,
    ...(tag !== undefined && { tag }),
    ...(code !== undefined && { code }),
  };
}

/** Answers each question; what of an answer is handed over `transferOf` says. */
export function answering<Question, Answer>(
  answer: (question: Question) => Answer,
  transferOf: (answer: Answer) => Array<Transferable> = () => [],
): void {
  const post = (reply: Reply<Answer>, transfer: Array<Transferable> = []) =>
    self.postMessage(reply, transfer);
  self.onmessage = ({ data }: MessageEvent<Question>) => {
    try {
      const made = answer(data);
      post({ answer: made }, transferOf(made));
    } catch (error) {
      post({ thrown: thrownBy(error) });
    }
  };
}
