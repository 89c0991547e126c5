// The seed of the agents' app: signing in, having notifications pushed here, and answering what is offered.

import "./subscription.js";

const api = "/api/v1";
const main = document.querySelector("main");

class Problem extends Error {
  constructor(status, code, detail) {
    super(detail);
    Object.assign(this, { status, code });
  }
}

async function call(method, path, body) {
  const answer = await fetch(`${api}${path}`, {
    method,
    credentials: "same-origin",
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  const json = text === "" ? null : JSON.parse(text);
  if (!answer.ok) throw new Problem(answer.status, json?.code, json?.detail ?? answer.statusText);
  return json;
}

/** An element with its attributes, listeners and children; texts are never read as HTML. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function button(label, act) {
  const one = element("button", { type: "button" }, label);
  one.addEventListener("click", async () => {
    one.disabled = true;
    await attempt(act);
    one.disabled = false;
  });
  return one;
}

async function attempt(act) {
  try {
    await act();
  } catch (error) {
    say(error instanceof Problem || error instanceof Notice ? error.message : "That did not work.");
  }
}

class Notice extends Error {}

function say(text) {
  document.querySelector("#notice").textContent = text;
}

function field(label, attributes) {
  const input = element("input", attributes);
  return { input, row: element("label", {}, label, input) };
}

function signIn() {
  const phone = field("Phone number", { type: "tel", autocomplete: "tel", required: "" });
  const code = field("Code", { inputmode: "numeric", autocomplete: "one-time-code", required: "" });
  const ask = async (event) => {
    event.preventDefault();
    await attempt(async () => {
      const { login_id } = await call("POST", "/login/otp", { phone: phone.input.value });
      const enter = async (event) => {
        event.preventDefault();
        await attempt(async () => {
          const wish = { login_id, phone: phone.input.value, code: code.input.value, cookie: true };
          await call("POST", "/login", { ...wish, device_name: navigator.platform });
          await start();
        });
      };
      main.replaceChildren(element("form", { onsubmit: enter }, code.row, element("button", {}, "Sign in")));
      code.input.focus();
    });
  };
  main.replaceChildren(element("form", { onsubmit: ask }, phone.row, element("button", {}, "Send me a code")));
}

const registration = () => navigator.serviceWorker?.ready;
const isIos = () => /iphone|ipad/i.test(navigator.userAgent);
const isInstalled = () => matchMedia("(display-mode: standalone)").matches || navigator.standalone === true;

/** Asked in a tap: browsers ask nobody otherwise. */
async function turnOn() {
  if (isIos() && !isInstalled()) {
    throw new Notice("On an iPhone: Share, Add to Home Screen, and open Offdesk from there.");
  }
  if ((await Notification.requestPermission()) !== "granted") {
    throw new Notice("Notifications are blocked for this page: allow them in the browser's settings.");
  }
  await register(await registration());
  await devices();
}

/** The id of this browser among the agent's devices. */
let own = null;

async function register({ pushManager }) {
  const { public_key } = await call("GET", "/push/vapid");
  const subscription = await self.subscribe(pushManager, public_key);
  const device = await call("POST", "/me/devices", { kind: "webpush", subscription, name: navigator.platform });
  own = device.id;
}

/** A browser may have changed its subscription, the gateway its key, or it may have lost the device: told at every start. */
async function heal() {
  const worker = await registration();
  if (await worker?.pushManager.getSubscription()) await register(worker);
}

/** Without its subscription this browser is not registered again at the next start. */
async function unsubscribe() {
  const worker = await registration();
  const subscription = await worker?.pushManager.getSubscription();
  await subscription?.unsubscribe();
  own = null;
}

function outcome({ delivered, status, reason, took_ms }) {
  const said = status === null ? "did not answer" : `said ${status}`;
  return delivered ? `The push service took it after ${took_ms} ms.` : `The push service ${said}: ${reason}.`;
}

async function devices() {
  const { items } = await call("GET", "/me/devices");
  const row = (device) => {
    const last = device.last_delivered ? `last reached ${new Date(device.last_delivered.at).toLocaleString()}` : "not reached yet";
    const path = `/me/devices/${device.id}`;
    const test = button("Test", async () => say(outcome(await call("POST", `${path}/test`))));
    const remove = button("Remove", async () => {
      if (device.id === own) await unsubscribe();
      await call("DELETE", path);
      await devices();
    });
    return element("li", {}, `${device.name ?? device.kind}, ${last} `, test, remove);
  };
  document.querySelector("#devices").replaceChildren(...items.map(row));
}

async function offers() {
  const { items } = await call("GET", "/tasks");
  const act = (task, what) => async () => {
    await call("POST", `/tasks/${task.sid}/${what}`);
    await offers();
  };
  const row = (task) => {
    const buttons = task.status === "pending" ? [button("Accept", act(task, "accept")), button("Decline", act(task, "decline"))] : [];
    return element("li", { id: task.sid }, `${task.customer.name ?? "A customer"} (${task.channel}): ${task.status} `, ...buttons);
  };
  document.querySelector("#tasks").replaceChildren(...items.map(row));
  // A notification's tap leads to its task.
  document.getElementById(location.pathname.split("/").pop())?.querySelector("button")?.focus();
}

async function start() {
  let me;
  try {
    me = await call("GET", "/me");
  } catch (error) {
    if (error.status === 401) return signIn();
    throw error;
  }
  main.replaceChildren(
    element("p", {}, `${me.agent.name}, ${me.activity ?? "activity not known yet"}`),
    element("h2", {}, "Tasks"),
    element("ul", { id: "tasks" }),
    element("h2", {}, "Notifications"),
    button("Turn on notifications here", turnOn),
    element("ul", { id: "devices" }),
  );
  await attempt(heal);
  await Promise.all([devices(), offers()]);
}

navigator.serviceWorker?.register("/sw.js");
navigator.serviceWorker?.addEventListener("message", ({ data }) => {
  history.pushState(null, "", data.navigate);
  attempt(start);
});
attempt(start);
