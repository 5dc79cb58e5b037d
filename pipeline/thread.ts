/**
 * A thread of its own that answers questions, one after the other.
 *
 * @module
 */
import type { Reply, Thrown } from "./answering.ts";
import { ClosedPipe, DataError, HostError, UsageError } from "./errors.ts";

/** An error that was thrown on another thread. */
export function received({ tag, message, code }: Thrown): Error {
  if (tag === undefined) return Object.assign(new Error(message), { code });
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
    reject(received(data.thrown));
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
