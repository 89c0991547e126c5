// Checks exchanges with Twilio that were written down, as JSON lines (oracle.mjs has their form).
//
//   node check-exchanges.mjs FOLDER          every *.jsonl in it; ends with 1 if anything is wrong
//   node check-exchanges.mjs < LINES > LINES one verdict a line: {"operation", "violations": [{"part", "at", "message"}]}

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { answerEach } from "./lines.mjs";
import { Oracle } from "./oracle.mjs";

const oracle = new Oracle();
const [folder] = process.argv.slice(2);

if (folder === undefined) {
  await answerEach((exchange) => oracle.judge(exchange));
} else {
  process.exitCode = (await checkFolder(folder)) ? 0 : 1;
}

async function checkFolder(folder) {
  const operations = new Map();
  let [exchanges, wrong] = [0, 0];
  for (const { from, exchange } of recorded(folder)) {
    const { operation, violations } = await oracle.judge(exchange);
    exchanges += 1;
    operations.set(operation, (operations.get(operation) ?? 0) + 1);
    for (const { part, at, message } of violations) {
      wrong += 1;
      console.error(`${from}: ${operation ?? exchange.path}: ${part}: ${at}: ${message}`);
    }
  }
  for (const [operation, times] of [...operations].sort()) {
    console.error(`${`${times}`.padStart(6)} ${operation}`);
  }
  console.error(`${exchanges} exchanges of ${operations.size} operations, ${wrong} violations of Twilio's documents`);
  return wrong === 0;
}

function* recorded(folder) {
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".jsonl")).sort()) {
    const lines = readFileSync(join(folder, name), "utf8").split("\n");
    for (const [index, line] of lines.entries()) {
      if (line.trim() !== "") {
        yield { from: `${name}:${index + 1}`, exchange: JSON.parse(line) };
      }
    }
  }
}
