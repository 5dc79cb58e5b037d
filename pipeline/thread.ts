/**
 * A thread of its own that answers questions, one after the other.
 *
 * @module
 */
import type { Reply } from "./answering.ts";
import {
  ClosedPipe,
  DataError,
  HostError,
  type StageError,
  UsageError,
} from "./errors.ts";

/** A tagged error as plain data, which is what passes between threads. */
export interface SentError {
  readonly tag: StageError["_tag"];
  readonly message: string;
}

export function sendable(error: StageError): SentError {
  return {
    tag: error._tag,
    message: error._tag === "ClosedPipe" ? "" : error.message,
  };
}

export function received({ tag, message }: SentError): StageError {
  switch (tag) {
    case "UsageError":
      return new UsageError({ message });
    case "DataError":
      return new DataError({ message });
    case "HostError":
      return new HostError({ message });
    case "ClosedPipe":
      return new ClosedPipe();
  }
}

export interface Thread<Question, Answer> {
  /** Answers come in the order of the questions; what it throws comes here too. */
  readonly ask: (
    question: Question,
    transfer?: Array<Transferable>,
  ) => Promise<Answer>;
  /** Ends the thread, whatever it is at. */
  readonly stop: () => void;
}

interface Waiting<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (cause: Error) => void;
}

/** Starts a module that does nothing but {@linkcode answering}. */
export function thread<Question, Answer>(url: URL): Thread<Question, Answer> {
  const waiting: Array<Waiting<Answer>> = [];
  const worker = new Worker(url, { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<Reply<Answer>>) => {
    const { resolve, reject } = waiting.shift()!;
    if ("answer" in data) return resolve(data.answer);
    const { tag, message, code } = data.thrown;
    reject(
      tag !== undefined
        ? received({ tag: tag as StageError["_tag"], message })
        : Object.assign(new Error(message), { code }),
    );
  };
  worker.onerror = (event) => {
    event.preventDefault();
    const cause = new Error(`worker: ${event.message}`);
    for (const { reject } of waiting.splice(0)) reject(cause);
  };
  return {
    ask: (question, transfer = []) => {
      const answered = new Promise<Answer>((resolve, reject) => {
        waiting.push({ resolve, reject });
      });
      // Whoever waits for it hears of it; until then it is not unheard of.
      answered.catch(() => {});
      worker.postMessage(question, transfer);
      return answered;
    },
    stop: () => worker.terminate(),
  };
}
