// What a Node gateway would be at its least: Express with Twilio's webhook() middleware, and a 204.
//
// OFFDESK_TOKEN is the auth token, OFFDESK_PUBLIC_URL the address that Twilio signed. Prints one JSON line when it listens.

import { load } from "./packages.mjs";

const express = load("express");
const twilio = load("twilio");

const { protocol, host } = new URL(process.env.OFFDESK_PUBLIC_URL);
const checked = twilio.webhook(process.env.OFFDESK_TOKEN, { protocol: protocol.slice(0, -1), host });

const app = express();
app.disable("x-powered-by");
app.post("/webhooks/taskrouter", express.urlencoded({ extended: false }), checked, (_, response) => {
  response.status(204).end();
});

const server = app.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ ready: true, port: server.address().port })}\n`);
});
