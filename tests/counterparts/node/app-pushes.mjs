// A real browser gets what the gateway pushes: the app's own service worker at the gateway's own address shows it, once, and
// takes it away. Google's push service is out of reach: the browser is handed the message by the DevTools protocol, as the
// stand-in's browser has decrypted it.
//
// `node app-pushes.mjs APP STANDIN` ends with 0 if all went as it should.

import { load } from "./packages.mjs";

const { chromium } = load("playwright-core");

const LIMIT = 30_000;
const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

const SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15";

const [app, standIn] = process.argv.slice(2);
const troubles = [];

const offer = await browse([], async (browser) => {
  await registered(browser);
  return shown(browser);
});
await browse([`--user-agent=${SAFARI}`], (browser) => shownToApple(browser, offer));
if (troubles.length > 0) {
  console.error(troubles.join("\n"));
  process.exitCode = 1;
}

async function browse(more, act) {
  const browser = await chromium.launch({
    executablePath: process.env.OFFDESK_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", ...QUIET, ...more],
  });
  try {
    return await act(browser);
  } finally {
    await browser.close();
  }
}

async function open(browser) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  context.setDefaultTimeout(LIMIT);
  await context.grantPermissions(["notifications"], { origin: app });
  const page = await context.newPage();
  page.on("pageerror", (error) => troubles.push(`page: ${error.message}`));
  return { context, page };
}

/** A push service of its own for the page, which keeps to the Push API: one subscription, and no other key beside it. */
function ownPushService() {
  const kept = () => localStorage.getItem("key");
  const subscription = () => {
    const key = kept();
    if (key === null) return null;
    const bytes = Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    return {
      options: { userVisibleOnly: true, applicationServerKey: bytes.buffer },
      unsubscribe: async () => localStorage.removeItem("key") ?? true,
      toJSON: () => ({ endpoint: `https://push.example/${key}`, keys: {} }),
    };
  };
  PushManager.prototype.getSubscription = async () => subscription();
  PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
    if (kept() !== null && kept() !== applicationServerKey) throw new DOMException("another key", "InvalidStateError");
    localStorage.setItem("key", applicationServerKey);
    return subscription();
  };
}

/** An agent's one device: what the page tells of it. */
async function account(page) {
  const told = { registered: [], removed: 0, devices: [] };
  const answer = (request) => {
    const path = new URL(request.url()).pathname.replace("/api/v1", "");
    if (path === "/me") return { agent: { name: "Ada" }, activity: null };
    if (path === "/tasks") return { items: [] };
    if (request.method() === "DELETE") told.removed += 1;
    if (request.method() !== "POST") {
      told.devices = request.method() === "DELETE" ? [] : told.devices;
      return { items: told.devices };
    }
    told.registered.push(request.postDataJSON().subscription.endpoint.split("/").pop());
    told.devices = [{ id: "d1", name: "this one", kind: "webpush", last_delivered: null }];
    return told.devices[0];
  };
  const isOwn = (url) => url.pathname.startsWith("/api/v1/") && url.pathname !== "/api/v1/push/vapid";
  await page.route(isOwn, (route) => route.fulfill({ json: answer(route.request()) }));
  return told;
}

/** This browser is one of the agent's devices, with the gateway's key, for as long as the agent wants. */
async function registered(browser) {
  const { context, page } = await open(browser);
  await page.addInitScript(ownPushService);
  const told = await account(page);
  const { public_key: key } = await (await fetch(`${app}/api/v1/push/vapid`)).json();
  const another = "B".repeat(key.length - 1) + "A";
  const kept = () => page.evaluate(() => localStorage.getItem("key"));
  const listed = (count) => page.waitForFunction((count) => document.querySelectorAll("#devices li").length === count, count);

  // The page lists the devices once it has told of its own.
  const isList = (answer) => answer.url().endsWith("/me/devices") && answer.request().method() === "GET";
  const settled = (act) => Promise.all([page.waitForResponse(isList), act]);

  await page.goto(`${app}/style.css`);
  await page.evaluate((another) => localStorage.setItem("key", another), another);
  await settled(page.goto(app));
  await listed(1);
  expect((await kept()) === key, "a browser that has subscribed with another key subscribes with the one that counts");
  expect(told.registered.join() === key, `it tells of that one: ${told.registered}`);

  await page.getByRole("button", { name: "Remove" }).click();
  await listed(0);
  expect(told.removed === 1 && (await kept()) === null, "a browser that is removed does not stay subscribed");
  await settled(page.reload());
  expect(told.registered.length === 1, "what was removed does not come back by itself");

  await page.evaluate((another) => localStorage.setItem("key", another), another);
  await page.getByRole("button", { name: "Turn on notifications here" }).click();
  await listed(1);
  expect((await kept()) === key && told.registered.length === 2, "turned on again, it has the key that counts");
  await context.close();
}

/** Whether a notification like this is shown before long; it runs in the page. */
async function appears({ tag, title, silent }) {
  const registration = await navigator.serviceWorker.ready;
  for (let look = 0; look < 200; look += 1) {
    const shown = await registration.getNotifications({ tag });
    if (shown.some((one) => one.title === title && one.silent === silent)) return true;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return false;
}

/** Where a push that shows nothing costs the subscription, each shows something, without a sound. */
async function shownToApple(browser, offer) {
  const { context, page } = await open(browser);
  await page.goto(app);
  const deliver = await worker(context, page);
  const now = Math.floor(Date.now() / 1000);
  const with_ = (id, exp, task) => {
    const data = { ...offer.notification.data, id, exp, task };
    return { ...offer, notification: { ...offer.notification, tag: task, data } };
  };
  const titled = (title, message) => ({ ...message, notification: { ...message.notification, title } });
  const closed = titled("Over", with_("end", now + 60, "over"));
  closed.notification.data.type = "task.closed";
  const copy = with_("copy", now + 60, "twice");
  for (const [what, message, silent] of [
    ["what is late", with_("late", now - 120, "late"), true],
    ["an end", closed, true],
    ["an offer behind its end", titled("Late", with_("after", now + 60, "over")), true],
    ["an offer", copy, false],
    ["the same again", copy, true],
  ]) {
    await deliver(message);
    const { tag, title } = message.notification;
    const isShown = await page.evaluate(appears, { tag, title, silent });
    expect(isShown, `${what} is shown${silent ? ", without a sound" : ""}`);
  }
  await context.close();
}

async function shown(browser) {
  const { context, page } = await open(browser);
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
  await deliver(other("late", now - 90));
  await deliver(other("again", now - 20));
  expect((await notifications(page, 2)).length === 2, "what is late is not shown, and what a fast clock takes for late is");

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
  return offer;
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
