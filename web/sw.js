// Offdesk's service worker: shows what is pushed once, takes away what is over, and carries out what a person taps.
//
// A push is the JSON of Declarative Web Push: {"web_push": 8030, "notification": {…, "data": {id, type, task?,
// conversation?, exp}}, "app_badge": N}. A browser that knows that form shows it without this worker.

importScripts("/subscription.js");

const MEMORY = "offdesk-pushes";
/** Pushes that are remembered, at most. */
const REMEMBERED = 300;
/** How far this device's clock may be ahead, in milliseconds. */
const SLACK = 60_000;
const ICON = "/icon-192.png";
const IS_APPLES = /AppleWebKit/.test(navigator.userAgent) && !/Chrom|Edg/.test(navigator.userAgent);

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

/** One push after the other: two with the same id may come at the same moment. */
let last = Promise.resolve();

self.addEventListener("push", (event) => {
  const message = read(event.data);
  last = last.then(() => receive(message)).catch((error) => console.warn("a push was not shown:", error.name));
  event.waitUntil(last);
});

function read(data) {
  try {
    const message = data.json();
    return message.web_push === 8030 ? message : null;
  } catch {
    return null;
  }
}

async function receive(message) {
  if (message === null) return;
  const { notification } = message;
  const { id, type, task, exp } = notification.data;
  if (exp * 1000 + SLACK <= Date.now()) return passOver(notification);
  await setBadge(message.app_badge);
  if (await isKnown(`push/${id}`)) return passOver(notification);
  await remember(`push/${id}`, exp);
  if (type === "task.closed") await remember(`closed/${task}`, exp);
  if (type === "task.closed" || type === "message.read") return takeAway(notification);
  // Push services keep no order: what is over does not come back.
  if (type === "task.offered" && (await isKnown(`closed/${task}`))) return passOver(notification);
  await show(notification, type);
}

function show(notification, type) {
  const { title, body, tag, lang, silent, renotify, data, navigate, actions } = notification;
  return self.registration.showNotification(title, {
    body,
    tag,
    lang,
    silent: silent === true,
    renotify: renotify === true,
    requireInteraction: type === "task.offered",
    icon: ICON,
    badge: ICON,
    data: { ...data, navigate },
    actions: (actions ?? []).map(({ action, title }) => ({ action, title })),
  });
}

async function takeAway(notification) {
  const shown = await self.registration.getNotifications({ tag: notification.tag });
  shown.forEach((one) => one.close());
  await passOver(notification);
}

/** Apple takes the subscription away from whoever shows nothing for a push. */
async function passOver(notification) {
  if (IS_APPLES) await show({ ...notification, silent: true, renotify: false, actions: [] }, "closed");
}

async function setBadge(count) {
  if (!("setAppBadge" in self.navigator) || typeof count !== "number") return;
  // It is only a badge: whoever has not installed the app has none.
  await (count > 0 ? self.navigator.setAppBadge(count) : self.navigator.clearAppBadge()).catch(() => {});
}

// What was seen outlives the worker, which the browser ends whenever it likes.

const key = (name) => new URL(`/-/${name}`, self.location.origin).href;

async function isKnown(name) {
  const memory = await caches.open(MEMORY);
  return (await memory.match(key(name))) !== undefined;
}

async function remember(name, exp) {
  const memory = await caches.open(MEMORY);
  await memory.put(key(name), new Response(String(exp)));
  const all = await memory.keys();
  await Promise.all(all.slice(0, Math.max(0, all.length - REMEMBERED)).map((one) => memory.delete(one)));
}

self.addEventListener("notificationclick", (event) => {
  const { notification, action } = event;
  notification.close();
  const { task, navigate } = notification.data;
  event.waitUntil(task && (action === "accept" || action === "decline") ? answer(task, action, navigate) : open(navigate));
});

async function answer(task, action, navigate) {
  const done = await post(`/api/v1/tasks/${task}/${action}`);
  if (done === "ok") {
    if (action === "accept") await open(navigate);
    return;
  }
  const why = { taken: "Somebody else has it.", gone: "It is not on offer any more.", not_pending: "It is not on offer any more." };
  await self.registration.showNotification("That did not work", {
    body: why[done] ?? "Tap to try it in the app.",
    tag: task,
    icon: ICON,
    data: { task, navigate },
  });
}

/** "ok", or the code of the problem. */
async function post(path) {
  try {
    const answer = await fetch(path, { method: "POST", credentials: "same-origin", keepalive: true });
    return answer.ok ? "ok" : ((await answer.json()).code ?? "unknown");
  } catch {
    return "offline";
  }
}

/** A window that is open is used; it may not lead away from the app. */
async function open(navigate) {
  const url = new URL(navigate ?? "/", self.location.origin);
  const target = url.origin === self.location.origin ? url.href : self.location.origin;
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const [first] = windows;
  if (first === undefined) return self.clients.openWindow(target);
  await first.focus();
  first.postMessage({ navigate: target });
}

self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(renew());
});

async function renew() {
  const subscription = await self.subscribe(self.registration.pushManager, await publicKey());
  await fetch("/api/v1/me/devices", {
    method: "POST",
    credentials: "same-origin",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ kind: "webpush", subscription }),
  });
}

async function publicKey() {
  return (await (await fetch("/api/v1/push/vapid")).json()).public_key;
}
