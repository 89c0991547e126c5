// A person at the sandbox's page: plays the customer and the agents on their phones, finding everything by what it is
// called. `node sandbox-page.mjs URL ACCOUNT TOKEN [press-1]` ends with 0 if all went as it should.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { file, load } from "./packages.mjs";

const { chromium } = load("playwright-core");

/** Long enough for a machine that is busy; nothing waits so long when all is well. */
const LIMIT = 20_000;
const CHROMIUM = process.env.OFFDESK_CHROMIUM ?? "/usr/bin/chromium";
const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

const [url, account, token, what] = process.argv.slice(2);
const troubles = [];

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", ...QUIET],
});
try {
  if (what === "press-1") await asked();
  else for (const part of [chat, call, question, orphan, accessible]) await part();
} finally {
  await browser.close();
}
if (troubles.length > 0) {
  console.error(troubles.join("\n"));
  process.exitCode = 1;
}

async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 1000 }, ...options });
  context.setDefaultTimeout(LIMIT);
  const page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && troubles.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => troubles.push(`page: ${error.message}`));
  await page.goto(url);
  return page;
}

function phone(page, name) {
  return page.getByRole("article", { name });
}

async function says(page, text, button) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.getByRole("button", { name: button, exact: true }).click();
}

/** A chat is notified, accepted, answered and completed. */
async function chat() {
  const page = await open();
  const ada = phone(page, "Ada Okafor");
  await says(page, "Where is my parcel?", "Start chat");
  await ada.getByRole("button", { name: /^Accept/ }).click();
  await ada.getByLabel(/^Reply to/).waitFor();
  await ada.getByText("Where is my parcel?").waitFor();
  await says(page, "Hello?", "Send");
  await says(page, "Anybody there?", "Send");
  await ada.getByLabel("2 unread").waitFor();
  await ada.getByLabel(/^Reply to/).fill("It is on its way!");
  await ada.getByRole("button", { name: "Reply", exact: true }).click();
  await page.getByRole("region", { name: "Customer" }).getByText("It is on its way!").waitFor();
  await ada.getByLabel("0 unread").waitFor({ state: "attached" });
  await ada.getByRole("button", { name: /^Complete/ }).click();
  await ada.getByLabel(/^Reply to/).waitFor({ state: "hidden" });
  await page.getByText("This chat is closed.").waitFor();
  const state = await stateOf(page);
  const [conversation] = state.conversations;
  expect(conversation.state === "closed" && !conversation.orphaned, "the conversation is closed in good order");
  expect(state.tasks[0].status === "completed", "the chat's task is completed");
  await page.context().close();
}

/** A call rings, is answered and completed. */
async function call() {
  const page = await open();
  const ada = phone(page, "Ada Okafor");
  await page.getByRole("button", { name: "Place call" }).click();
  await ada.getByRole("button", { name: /^Answer/ }).click();
  await page.getByText("You are talking with Ada Okafor.").waitFor();
  await page.getByRole("button", { name: "Hang up" }).click();
  await page.getByText("Completed, after a call with Ada Okafor.").waitFor();
  await page.context().close();
}

/** A call rings, whoever answers is asked, and 1 brings the customer. */
async function asked() {
  const page = await open();
  const ada = phone(page, "Ada Okafor");
  await page.getByRole("button", { name: "Place call" }).click();
  await ada.getByRole("button", { name: /^Answer/ }).click();
  await ada.getByRole("status").filter({ hasText: "press 1" }).waitFor();
  await page.getByText(/you hear music/).waitFor();
  await ada.getByRole("group", { name: /^Keys of/ }).getByRole("button", { name: "1", exact: true }).click();
  await page.getByText("You are talking with Ada Okafor.").waitFor();
  await ada.getByRole("group", { name: /^Keys of/ }).waitFor({ state: "hidden" });
  await ada.getByRole("button", { name: /^End call/ }).click();
  await page.getByText("Completed, after a call with Ada Okafor.").waitFor();
  await page.context().close();
}

/** A call asks for a key: its words are to be read, and its keys to be found by what they are called. */
async function question() {
  const page = await open({ bypassCSP: true });
  const ada = phone(page, "Ada Okafor");
  const pressed = [];
  const documents = createServer(async (request, answer) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    pressed.push(new URLSearchParams(body).get("Digits"));
    answer.end("<Response><Gather numDigits='1' timeout='60'><Say>Press a key.</Say></Gather></Response>");
  });
  await new Promise((resolve) => documents.listen(0, "127.0.0.1", resolve));
  const { agents } = await stateOf(page);
  const { incoming_phone_numbers: numbers } = await twilio(`/2010-04-01/Accounts/${account}/IncomingPhoneNumbers.json`);
  const To = agents.find((agent) => agent.name === "Ada Okafor").phone;
  const Url = `http://127.0.0.1:${documents.address().port}/`;
  await twilio(`/2010-04-01/Accounts/${account}/Calls.json`, { To, From: numbers[0].phone_number, Url });
  await ada.getByRole("button", { name: /^Answer/ }).click();
  await ada.getByRole("status").filter({ hasText: "Press a key." }).waitFor();
  const keys = ada.getByRole("group", { name: /^Keys of/ });
  await judge(page, "keys");
  for (const key of ["1", "*"]) {
    const heard = pressed.length;
    await keys.getByRole("button", { name: key, exact: true }).click();
    for (let tries = 0; pressed.length === heard && tries < 400; tries += 1) await page.waitForTimeout(50);
  }
  await ada.getByRole("button", { name: /^End call/ }).click();
  await keys.waitFor({ state: "hidden" });
  documents.close();
  documents.closeAllConnections();
  expect(JSON.stringify(pressed) === JSON.stringify([null, "1", "*"]), `keys are heard: ${JSON.stringify(pressed)}`);
  await page.context().close();
}

/** Somebody completes a chat's reservation directly: the page says that the conversation is orphaned. */
async function orphan() {
  const page = await open();
  const ada = phone(page, "Ada Okafor");
  await says(page, "Me again", "Start chat");
  await ada.getByRole("button", { name: /^Accept/ }).click();
  await ada.getByLabel(/^Reply to/).waitFor();
  const state = await stateOf(page);
  const task = state.tasks.findLast((one) => one.channel !== "voice");
  const reservation = state.reservations.findLast((one) => one.task_sid === task.sid);
  const workspaces = await twilio("/taskrouter/v1/Workspaces");
  const [{ sid }] = workspaces.workspaces;
  await twilio(`/taskrouter/v1/Workspaces/${sid}/Tasks/${task.sid}/Reservations/${reservation.sid}`, {
    ReservationStatus: "completed",
  });
  await page.getByText(/orphaned/i).first().waitFor();
  await page.context().close();
}

/** What axe finds on a page that keeps people from using it. */
async function judge(page, where) {
  await page.evaluate(readFileSync(file("axe-core/axe.min.js"), "utf8"));
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  for (const { id, impact, nodes } of violations.filter((one) => ["serious", "critical"].includes(one.impact))) {
    troubles.push(`axe: ${where}: ${impact}: ${id}: ${nodes.map((node) => node.target).join(", ")}`);
  }
}

/** axe finds nothing that keeps people from using it, at the desk or on a phone, by day or by night. */
async function accessible() {
  for (const width of [1400, 390]) {
    for (const colorScheme of ["light", "dark"]) {
      // The page lets no script of others in; axe is let in past that.
      const page = await open({ viewport: { width, height: 900 }, colorScheme, bypassCSP: true });
      await phone(page, "Ada Okafor").waitFor();
      await judge(page, `${width} px, ${colorScheme}`);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
      expect(!wider, `nothing is wider than the window at ${width} px`);
      await page.context().close();
    }
  }
}

async function stateOf(page) {
  return page.evaluate(async () => (await fetch("/sandbox/state")).json());
}

async function twilio(path, form) {
  const answer = await fetch(`${url}${path}`, {
    method: form === undefined ? "GET" : "POST",
    headers: { authorization: `Basic ${Buffer.from(`${account}:${token}`).toString("base64")}` },
    body: form === undefined ? undefined : new URLSearchParams(form),
  });
  expect(answer.ok, `${path} is answered`);
  return answer.json();
}

function expect(holds, what) {
  if (!holds) troubles.push(`not so: ${what}`);
}
