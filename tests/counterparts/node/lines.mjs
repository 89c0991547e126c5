// JSON lines on standard input, answered one by one on standard output.

import { createInterface } from "node:readline";

/** Calls `answer` with each line's value, in order, and prints what it returns. */
export async function answerEach(answer) {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (line.trim() !== "") {
      process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
    }
  }
}
