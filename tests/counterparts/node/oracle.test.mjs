// The oracle must see what is wrong: each planted fault is found, and only that.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Oracle } from "./oracle.mjs";

const sid = (prefix) => `${prefix}${"0123456789abcdef".repeat(2)}`;
const headers = { authorization: `Basic ${btoa(`${sid("AC")}:token`)}` };
const reservation = `/v1/Workspaces/${sid("WS")}/Workers/${sid("WK")}/Reservations/${sid("WR")}`;
const conference = [
  ["Instruction", "conference"],
  ["To", "+15550101"],
  ["From", "+15550100"],
  ["Timeout", "15"],
  ["EndConferenceOnExit", "true"],
  ["StatusCallback", "https://gw.example.com/webhooks/call?call=1&leg=2"],
  ["StatusCallbackEvent", "initiated"],
  ["StatusCallbackEvent", "answered"],
];

const oracle = new Oracle();

async function judge(exchange) {
  return oracle.judge({ product: "taskrouter", method: "POST", path: reservation, headers, ...exchange });
}

async function faults(exchange) {
  return (await judge(exchange)).violations.map(({ part, at }) => `${part} ${at}`);
}

test("a conference instruction as Twilio wants it is accepted", async () => {
  assert.deepEqual(await judge({ form: conference }), { operation: "UpdateWorkerReservation", violations: [] });
});

test("a list with one value is a list", async () => {
  assert.deepEqual(await faults({ form: [["StatusCallbackEvent", "answered"]] }), []);
});

test("a form parameter that Twilio does not know is found", async () => {
  assert.deepEqual(await faults({ form: [...conference, ["ConferenceTimeout", "3"]] }), ["request form.ConferenceTimeout"]);
});

test("a query parameter that Twilio does not know is found", async () => {
  const path = `/v1/Workspaces/${sid("WS")}/Events?Minutes=5&Hours=1`;
  assert.deepEqual(await faults({ method: "GET", path }), ["request query.Hours"]);
});

test("a value outside its enumeration is found", async () => {
  assert.deepEqual(await faults({ form: [["ReservationStatus", "done"]] }), ["request body.ReservationStatus"]);
});

test("a value outside its enumeration is found inside a list", async () => {
  assert.deepEqual(await faults({ form: [["StatusCallbackEvent", "hung-up"]] }), ["request body.StatusCallbackEvent.0"]);
});

test("a value of another type is found", async () => {
  assert.deepEqual(await faults({ form: [["Timeout", "soon"]] }), ["request body.Timeout"]);
});

test("a missing required parameter is found", async () => {
  const path = `/2010-04-01/Accounts/${sid("AC")}/Calls.json`;
  const found = await faults({ product: "api", path, form: [["From", "+15550100"]] });
  assert.deepEqual(found, ["request body"]);
});

test("a sid of another kind in the path is found", async () => {
  const path = `/v1/Workspaces/${sid("WS")}/Workers/${sid("WK")}/Reservations/${sid("WT")}`;
  assert.deepEqual(await faults({ path, form: conference }), ["request path.sid"]);
});

test("a path that Twilio does not have is found", async () => {
  assert.deepEqual(await faults({ path: "/v1/Workspace" }), ["request path"]);
});

test("a request without credentials is found", async () => {
  assert.equal((await faults({ form: conference, headers: {} })).length, 1);
});

test("a literal path is not taken for a sid", async () => {
  const path = `/v1/Workspaces/${sid("WS")}/Workers/Statistics`;
  assert.equal((await judge({ method: "GET", path })).operation, "FetchWorkerStatistics");
});

const answer = {
  account_sid: sid("AC"),
  date_created: "2026-05-14T10:50:02Z",
  date_updated: "2026-05-15T16:03:42Z",
  links: { task: "https://taskrouter.twilio.com/v1/Workspaces" },
  reservation_status: "accepted",
  sid: sid("WR"),
  task_sid: sid("WT"),
  url: "https://taskrouter.twilio.com/v1/Workspaces",
  worker_name: "alice",
  worker_sid: sid("WK"),
  workspace_sid: sid("WS"),
};

test("an answer as Twilio gives it is accepted", async () => {
  assert.deepEqual(await faults({ form: conference, status: 200, answer }), []);
});

test("an answer with a field that Twilio does not have is found", async () => {
  const drifted = { ...answer, ring_seconds: 15 };
  assert.deepEqual(await faults({ form: conference, status: 200, answer: drifted }), ["answer ring_seconds"]);
});

test("an answer with a status that Twilio does not have is found", async () => {
  const drifted = { ...answer, reservation_status: "ringing" };
  assert.deepEqual(await faults({ form: conference, status: 200, answer: drifted }), ["answer body.reservation_status"]);
});

test("an answer with another status code is found", async () => {
  assert.equal((await faults({ form: conference, status: 202, answer })).length, 1);
});

const conferences = `/2010-04-01/Accounts/${sid("AC")}/Conferences.json`;
const ended = (reason) => ({ conferences: [{ sid: sid("CF"), reason_conference_ended: reason }], uri: conferences });

test("what the documents' own examples do against their schemas is accepted", async () => {
  const found = await faults({ product: "api", method: "GET", path: conferences, status: 200, answer: ended(null) });
  assert.deepEqual(found, []);
});

test("what no example does is found at the same place", async () => {
  const found = await faults({ product: "api", method: "GET", path: conferences, status: 200, answer: ended("boredom") });
  assert.deepEqual(found, ["answer body.conferences.0.reason_conference_ended"]);
});

test("an error as Twilio gives it is accepted", async () => {
  const error = { code: 20404, message: "not found", more_info: "https://www.twilio.com/docs/errors/20404", status: 404 };
  assert.deepEqual(await faults({ form: conference, status: 404, answer: error }), []);
});

test("an error that lacks its code is found", async () => {
  const error = { message: "not found", more_info: "https://www.twilio.com/docs/errors/20404", status: 404 };
  assert.deepEqual(await faults({ form: conference, status: 404, answer: error }), ["answer code"]);
});
