// What a Node gateway would send pushes with: npm's web-push, or undici over HTTP/2 for FCM.
//
// OFFDESK_PLAN is a JSON file: {"kind": "webpush" | "fcm", "url", "subscriptions", "vapid": {publicKey, privateKey, subject},
// "body", "warm_up", "count", "in_flight"}; NODE_EXTRA_CA_CERTS names the receiver's certificate. Prints one JSON line at the
// end: {"cpu_us", "wall_us"} for `count` pushes.

import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import { performance } from "node:perf_hooks";
import { rootCertificates } from "node:tls";

import { load } from "./packages.mjs";

const plan = JSON.parse(readFileSync(process.env.OFFDESK_PLAN, "utf8"));
const send = plan.kind === "webpush" ? webPush() : fcm();

await all(plan.warm_up);
const [cpu, wall] = [process.cpuUsage(), performance.now()];
await all(plan.count);
const { user, system } = process.cpuUsage(cpu);
const wallUs = Math.round((performance.now() - wall) * 1000);
process.stdout.write(`${JSON.stringify({ cpu_us: user + system, wall_us: wallUs })}\n`, () => process.exit(0));

async function all(count) {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      next += 1;
      await send(next);
    }
  };
  await Promise.all(Array.from({ length: plan.in_flight }, lane));
}

function webPush() {
  const library = load("web-push");
  const agent = new Agent({ keepAlive: true, maxSockets: plan.in_flight });
  const options = { vapidDetails: plan.vapid, TTL: 120, urgency: "high", topic: "a".repeat(32), agent };
  return async (number) => {
    const subscription = plan.subscriptions[number % plan.subscriptions.length];
    const { statusCode } = await library.sendNotification(subscription, plan.body, options);
    if (statusCode !== 201) throw new Error(`answered ${statusCode}`);
  };
}

function fcm() {
  const { Pool } = load("undici");
  const ca = [...rootCertificates, readFileSync(process.env.NODE_EXTRA_CA_CERTS, "utf8")];
  const { origin, pathname } = new URL(plan.url);
  const pool = new Pool(origin, { allowH2: true, connections: 1, maxConcurrentStreams: 100, connect: { ca } });
  const request = JSON.parse(plan.body);
  const headers = { authorization: "Bearer token", "content-type": "application/json; charset=utf-8" };
  return async (number) => {
    request.message.token = `token-of-${number}`;
    const body = JSON.stringify(request);
    const answer = await pool.request({ path: pathname, method: "POST", headers, body });
    const { name } = await answer.body.json();
    if (answer.statusCode !== 200 || !name) throw new Error(`answered ${answer.statusCode}`);
  };
}
