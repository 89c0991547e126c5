// A real browser gets what the gateway pushes: the app's own service worker at the gateway's own address shows it, once, and
// takes it away. Google's push service is out of reach: the browser is handed the message by the DevTools protocol, as the
// stand-in's browser has decrypted it.
//
// `node app-pushes.mjs APP STANDIN` ends with 0 if all went as it should.

import { load } from "./packages.mjs";

const { chromium } = load("playwright-core");

const LIMIT = 30_000;
const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

const [app, standIn] = process.argv.slice(2);
const troubles = [];

const browser = await chromium.launch({
  executablePath: process.env.OFFDESK_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", ...QUIET],
});
try {
  await shown();
} finally {
  await browser.close();
}
if (troubles.length > 0) {
  console.error(troubles.join("\n"));
  process.exitCode = 1;
}

async function shown() {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  context.setDefaultTimeout(LIMIT);
  await context.grantPermissions(["notifications"], { origin: app });
  const page = await context.newPage();
  page.on("pageerror", (error) => troubles.push(`page: ${error.message}`));
  await page.goto(app);
  await page.getByLabel("Phone number").waitFor();
  const deliver = await worker(context, page);

  await start("Where is my parcel?");
  const offer = await pushed((message) => typeOf(message) === "task.offered");
  await deliver(offer);
  const [notification] = await notifications(page, 1);
  const { task } = offer.notification.data;
  expect(notification.title === "New chat from Maria", `the title is ${notification.title}`);
  expect(notification.tag === task, "the tag is the reservation's");
  expect(notification.actions.join() === "accept,decline", `the actions are ${notification.actions}`);
  expect(notification.requireInteraction, "an offer stays until it is answered");

  await deliver(offer);
  expect((await notifications(page, 1)).length === 1, "the same push shows one notification");
  const other = (id, exp, tag = "another") => {
    const data = { ...offer.notification.data, id, exp, task: tag };
    return { ...offer, notification: { ...offer.notification, tag, data } };
  };
  const now = Math.floor(Date.now() / 1000);
  await deliver(other("late", now - 1));
  await deliver(other("again", now + 60));
  expect((await notifications(page, 2)).length === 2, "what is late is not shown, and what is not is");

  await answered(task);
  const closed = await pushed((message) => typeOf(message) === "task.closed" && message.notification.tag === task);
  await deliver(closed);
  const left = await notifications(page, 1);
  expect(left.length === 1 && left[0].tag === "another", "what is taken is taken away, and the other one stays");
  await deliver(other("late-copy", now + 60, task));
  expect((await notifications(page, 1)).length === 1, "an offer that comes behind its end is not shown");

  // What was seen outlives the worker.
  await deliver.stop();
  await deliver(other("again", now + 60));
  expect((await notifications(page, 1)).length === 1, "a worker that was started anew knows what was shown");
  await context.close();
}

/** Hands messages to the page's service worker, as a push service would. */
async function worker(context, page) {
  await page.evaluate(() => navigator.serviceWorker.ready);
  const session = await context.newCDPSession(page);
  const found = new Promise((resolve) => {
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const [own] = registrations.filter((one) => one.scopeURL.startsWith(app));
      if (own) resolve(own.registrationId);
    });
  });
  await session.send("ServiceWorker.enable");
  const registrationId = await found;
  const deliver = (message) =>
    session.send("ServiceWorker.deliverPushMessage", { origin: app, registrationId, data: JSON.stringify(message) });
  deliver.stop = () => session.send("ServiceWorker.stopAllWorkers");
  return deliver;
}

/** What is shown, once there are so many; after a moment, what there is. */
async function notifications(page, count) {
  return page.evaluate(async (count) => {
    const registration = await navigator.serviceWorker.ready;
    let shown = [];
    for (let look = 0, same = 0; look < 200 && same < 10; look += 1) {
      shown = await registration.getNotifications();
      same = shown.length === count ? same + 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    return shown.map(({ title, tag, actions, requireInteraction }) => {
      return { title, tag, requireInteraction, actions: actions.map(({ action }) => action) };
    });
  }, count);
}

function typeOf(message) {
  return message.notification.data.type;
}

/** What the gateway has pushed to the first browser of an agent, once there is such a message. */
async function pushed(is) {
  const end = Date.now() + LIMIT;
  while (Date.now() < end) {
    const { devices } = await state();
    const browsers = devices.filter((device) => device.kind === "webpush");
    const message = browsers.flatMap((device) => device.notifications.map(({ raw }) => raw)).find(is);
    if (message !== undefined) return message;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the gateway has pushed no such message");
}

async function state() {
  return (await fetch(`${standIn}/sandbox/state`)).json();
}

async function post(path, body) {
  const answer = await fetch(`${standIn}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

async function start(text) {
  await post("/sandbox/chats", { from: "+15550123", name: "Maria", text });
}

/** The agent takes the offer at the desk. */
async function answered(task) {
  await post(`/sandbox/reservations/${task}/accept`, {});
}

function expect(holds, what) {
  if (!holds) troubles.push(`not so: ${what}`);
}
