// What pushes are sent to in benchmarks: a push service and FCM in one, over TLS, by HTTP/2 or HTTP/1.1 as the client likes.
//
// OFFDESK_CERT and OFFDESK_KEY are PEM files. Prints one JSON line when it listens: {"ready", "port", "control"}; at the
// control port, without TLS, GET answers with {"count", "body"}: how many pushes came, and the last one's body in base64url.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";

let count = 0;
let last = Buffer.alloc(0);

const options = {
  cert: readFileSync(process.env.OFFDESK_CERT),
  key: readFileSync(process.env.OFFDESK_KEY),
  allowHTTP1: true,
};
const TOKEN = JSON.stringify({ access_token: "token", expires_in: 3599, token_type: "Bearer" });
const SENT = JSON.stringify({ name: "projects/bench/messages/0:1" });

const receiver = createSecureServer(options, (request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    if (request.url === "/token") return void answer(response, 200, TOKEN);
    count += 1;
    last = Buffer.concat(parts);
    return void (request.url.startsWith("/v1/") ? answer(response, 200, SENT) : answer(response, 201, ""));
  });
});

function answer(response, status, body) {
  response.writeHead(status, body === "" ? {} : { "content-type": "application/json" });
  response.end(body);
}

const control = createServer((_, response) => {
  response.end(JSON.stringify({ count, body: last.toString("base64url") }));
});

receiver.listen(0, "127.0.0.1", () => {
  control.listen(0, "127.0.0.1", () => {
    const ready = { ready: true, port: receiver.address().port, control: control.address().port };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
  });
});
