// The sandbox's page: shows what the stream says, and sends what the person does. No framework, no state but the last
// snapshot; every element is made once and then only changed, so that the focus stays where it is.

const find = (selector, root = document) => root.querySelector(selector);
const operations = [
  "UpdateTaskReservation", "UpdateWorkerReservation", "FetchTaskReservation", "ListWorkerReservation", "FetchTask",
  "UpdateTask", "CreateTask", "UpdateWorker", "FetchWorker", "ListWorker", "ListActivity", "FetchWorkflow", "ListEvent",
  "CreateCall", "UpdateCall", "ListConference", "UpdateConference", "CreateParticipant", "FetchConfiguration",
];
const logKept = 400;

let state = null;
let faults = null;
/** What the sandbox's clock is ahead of ours, in milliseconds. */
let ahead = 0;
const now = () => Date.now() + ahead;

/** Makes an element: its class, its text or children. */
function make(tag, name = "", content = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (Array.isArray(content)) element.append(...content);
  else element.textContent = content;
  return element;
}

/** Changes a text only if it differs: screen readers read a change. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

async function send(method, path, body) {
  const trouble = find("#trouble");
  try {
    const answer = await fetch(`/sandbox${path}`, {
      method,
      headers: { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (answer.ok) return write(trouble, "");
    const text = await answer.text();
    let reason = text;
    try { reason = JSON.parse(text).error ?? text; } catch { /* not JSON: shown as it is */ }
    write(trouble, `That did not work: ${reason || answer.status}`);
  } catch {
    write(trouble, "The sandbox does not answer.");
  }
}

// The customer

const nameOf = (phone) => state.agents.find((agent) => agent.phone === phone)?.name ?? phone;
const nameOfWorker = (sid) => state.agents.find((agent) => agent.worker_sid === sid)?.name ?? sid;
const seconds = (from) => Math.max(0, Math.round((now() - from) / 1000));
const clock = (count) => `${Math.floor(count / 60)}:${String(count % 60).padStart(2, "0")}`;

/** The customer's call that the page is about: the latest. */
function customerCall() {
  return state.calls.findLast((call) => call.role === "customer");
}

/** Where the call is: a step, whether it ended badly there, and a line that says so. */
function whereabouts(call) {
  const task = state.tasks.find((one) => one.sid === call.task_sid);
  const offer = state.reservations.findLast((one) => one.task_sid === call.task_sid);
  const who = offer ? nameOfWorker(offer.worker_sid) : "";
  if (task?.status === "completed") return ["done", false, `Completed, after a call with ${who}.`];
  if (task?.status === "canceled") {
    const why = task.reason === "hangup" ? "You hung up before anybody answered." : task.reason || "Cancelled.";
    return [offer?.leg_sid ? "ring" : offer ? "offer" : "queue", true, why];
  }
  if (task?.status === "wrapping") return ["wrap", false, `The call is over; ${who} is wrapping up.`];
  const leg = offer && state.calls.find((one) => one.sid === offer.leg_sid);
  if (offer?.status === "accepted") {
    if (call.status !== "in-progress") return ["talk", false, `The call with ${who} is over; the agent has not wrapped up yet.`];
    if (leg && leg.status !== "in-progress") return ["talk", false, `${who} has left; you are alone in the conference.`];
    return ["talk", false, `You are talking with ${who}.`];
  }
  if (leg?.status === "ringing") return ["ring", false, `It rings at ${nameOf(leg.to)}’s phone.`];
  const before = state.reservations.filter((one) => one.task_sid === call.task_sid && one !== offer);
  if (offer?.status === "pending") {
    if (before.some((one) => one.worker_sid === offer.worker_sid)) {
      return ["offer", false, `Offered to ${who} again, whose phone is left in peace for a while; you hear music.`];
    }
    return ["offer", false, `${before.length > 0 ? "Not taken, and offered" : "Offered"} to ${who}; you hear music.`];
  }
  if (call.status !== "in-progress") return ["queue", true, "The call is over."];
  return ["queue", false, "You wait in the queue: no agent is available."];
}

function showCustomer() {
  const call = customerCall();
  const live = call?.status === "in-progress";
  find("#place").disabled = live;
  find("#hang-up").disabled = !live;
  const [step, lost, line] = call ? whereabouts(call) : [null, false, "No call yet."];
  write(find("#call-line"), line);
  let past = step !== null;
  for (const item of find("#steps").children) {
    const here = item.dataset.step === step;
    if (here) past = false;
    item.className = here ? (lost ? "lost" : step === "done" ? "past" : "now") : past ? "past" : "";
    if (here) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
}

find("#place").addEventListener("click", () => {
  const from = find("#from");
  if (from.reportValidity()) send("POST", "/calls", { from: from.value || undefined });
});
find("#hang-up").addEventListener("click", () => send("POST", `/calls/${customerCall().sid}/hang-up`, {}));

// The agents' phones

const cards = new Map();

function card(agent) {
  const known = cards.get(agent.worker_sid);
  if (known) return known;
  const fresh = find("#phone").content.cloneNode(true).firstElementChild;
  const part = (name) => find(`.${name}`, fresh);
  const phone = encodeURIComponent(agent.phone);
  fresh.setAttribute("aria-label", agent.name);
  part("desk").hidden = agent.elsewhere === true;
  write(part("name"), agent.name);
  write(part("number"), agent.elsewhere ? "" : agent.phone);
  write(part("avatar"), agent.elsewhere ? "☎" : agent.name.split(" ").map((word) => word[0]).slice(0, 2).join(""));
  for (const [name, verb, path] of [["answer", "Answer", "answer"], ["decline", "Decline", "decline"], ["end", "End call", "hang-up"]]) {
    part(name).setAttribute("aria-label", `${verb}, ${agent.name}`);
    part(name).addEventListener("click", () => send("POST", `/phones/${phone}/${path}`, {}));
  }
  part("activity").setAttribute("aria-label", `Activity of ${agent.name}`);
  part("activity").addEventListener("change", (event) =>
    send("POST", `/workers/${agent.worker_sid}/activity`, { activity: event.target.value }));
  part("auto").setAttribute("aria-label", `What ${agent.name}’s phone does by itself`);
  part("auto").addEventListener("change", (event) => send("POST", `/phones/${phone}`, { auto: JSON.parse(event.target.value) }));
  part("reachable").setAttribute("aria-label", `${agent.name}’s phone has a signal`);
  part("reachable").addEventListener("change", (event) => send("POST", `/phones/${phone}`, { reachable: event.target.checked }));
  find("#phones").append(fresh);
  cards.set(agent.worker_sid, fresh);
  return fresh;
}

function showPhone(agent) {
  const shown = card(agent);
  const part = (name) => find(`.${name}`, shown);
  const phone = state.phones.find((one) => one.address === agent.phone);
  const call = state.calls.find((one) => one.sid === phone?.call_sid);
  const ringing = call?.status === "ringing";
  const talking = call?.status === "in-progress";
  part("phone").dataset.state = ringing ? "ringing" : talking ? "talking" : phone?.reachable === false ? "unreachable" : "idle";
  part("answer").hidden = part("decline").hidden = part("left").hidden = !ringing;
  part("time").hidden = !call;
  part("end").hidden = !talking;
  write(part("clock"), new Date(now()).toTimeString().slice(0, 5));
  write(part("signal"), phone?.reachable === false ? "no signal" : "●●●●");
  if (ringing) {
    const left = Math.max(0, call.rings_until_ms - now());
    part("left").value = left / (call.ring_s * 1000);
    part("left").setAttribute("aria-label", "Time left to answer");
    write(part("what"), `Incoming call from ${call.from}`);
    write(part("time"), `rings ${Math.ceil(left / 1000)} s more`);
  } else if (talking) {
    write(part("what"), "On a call");
    write(part("time"), clock(seconds(call.answered_ms)));
  } else if (agent.elsewhere) write(part("what"), "Not an agent’s phone");
  else write(part("what"), agent.available ? `${agent.activity}: may be called` : `${agent.activity}: gets no calls`);
  if (agent.elsewhere) return;
  const select = part("activity");
  const wanted = state.activities.map((activity) => activity.name);
  if (select.options.length !== wanted.length) select.replaceChildren(...wanted.map((name) => new Option(name)));
  if (document.activeElement !== select || select.value !== agent.activity) select.value = agent.activity;
  if (phone) {
    part("reachable").checked = phone.reachable;
    const same = [...part("auto").options].find((option) => JSON.parse(option.value).do === phone.auto.do);
    if (same) part("auto").value = same.value;
  }
}

// Tasks

const mood = {
  assigned: "busy", accepted: "busy", wrapping: "busy", reserved: "busy", pending: "", completed: "good",
  canceled: "bad", rejected: "bad", timeout: "bad", rescinded: "bad",
};
const chip = (status, text = status) => make("span", `chip ${mood[status] ?? ""}`, text);

function showTasks() {
  find("#no-gateway").hidden = state.event_callback !== null;
  find("#no-tasks").hidden = state.tasks.length > 0;
  find("#tasks").replaceChildren(...state.tasks.slice(-20).reverse().map((task) => {
    const sid = make("code", "sid", `${task.sid.slice(0, 10)}…`);
    sid.title = task.sid;
    const offers = state.reservations.filter((one) => one.task_sid === task.sid).map((offer) =>
      make("div", "offer", [
        make("span", "", nameOfWorker(offer.worker_sid)),
        chip(offer.status, offer.on_hold ? "being called" : offer.status),
      ]));
    return make("li", "", [make("div", "top", [sid, chip(task.status)]), ...offers]);
  }));
}

// The log

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}

function entry(one) {
  const webhook = one.direction === "webhook";
  const failed = one.status === null || one.status >= 400;
  const title = make("span", "title", [make("span", "", one.name || one.url)]);
  if (one.note) title.append(make("span", "note", one.note));
  const at = make("time", "", new Date(one.at_ms).toISOString().slice(11, 23));
  const status = make("span", `chip ${failed ? "bad" : "good"}`, one.status === null ? "no answer" : String(one.status));
  const summary = make("summary", "", [at, make("span", "way", webhook ? "→ gateway" : "← gateway"), title, status]);
  const details = make("details", "", [summary]);
  // What is inside is made when somebody looks.
  details.addEventListener("toggle", () => {
    if (details.children.length > 1) return;
    const list = make("dl", "", one.params.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
    const body = make("div", "body", [make("code", "", `${one.method} ${one.url}`), list]);
    if (one.answer) body.append(make("pre", "", pretty(one.answer)));
    details.append(body);
  });
  return make("li", webhook ? "webhook-entry" : "rest-entry", [details]);
}

function showLog(fresh) {
  const log = find("#log");
  for (const one of fresh) log.prepend(entry(one));
  while (log.children.length > logKept) log.lastElementChild.remove();
  find("#no-log").hidden = log.children.length > 0;
}

for (const button of document.querySelectorAll("[data-show]")) {
  button.addEventListener("click", () => {
    find("#log").dataset.show = button.dataset.show;
    for (const other of document.querySelectorAll("[data-show]")) {
      if (other.tagName === "BUTTON") other.setAttribute("aria-pressed", String(other === button));
    }
  });
}
find("#clear").addEventListener("click", () => {
  find("#log").replaceChildren();
  find("#no-log").hidden = false;
});

// Faults

for (const name of operations) find("#operation").append(new Option(name));

const actNames = new Map([...find("#act").options].map((option) => [JSON.parse(option.value), option.text]));

function actName(act) {
  for (const [known, name] of actNames) {
    if (Object.entries(known).every(([key, value]) => act[key] === value)) return name;
  }
  return JSON.stringify(act);
}

function showFaults() {
  find("#down").checked = faults.down;
  find("#rest-faults").replaceChildren(...faults.rest.map((fault) =>
    make("li", "", `${fault.times ?? "∞"} × ${fault.operation ?? "any request"}: ${actName(fault.act)}`)));
  const shown = { duplicates: faults.webhooks.duplicates, delay: faults.webhooks.delay_ms, drop: faults.webhooks.drop_next, shuffle: faults.webhooks.reorder?.window ?? 0 };
  for (const [id, value] of Object.entries(shown)) {
    const field = find(`#${id}`);
    if (!field.matches(":focus") && field.dataset.shown !== String(value)) field.value = field.dataset.shown = String(value);
  }
}

find("#down").addEventListener("change", (event) => send("PUT", "/faults", { ...faults, down: event.target.checked }));
find("#lift").addEventListener("click", () => send("DELETE", "/faults"));
find("#rest-fault").addEventListener("submit", (event) => {
  event.preventDefault();
  const operation = find("#operation").value || null;
  send("POST", "/faults", { operation, times: Number(find("#times").value), act: JSON.parse(find("#act").value) });
});
find("#webhook-faults").addEventListener("submit", (event) => {
  event.preventDefault();
  const number = (id) => Number(find(`#${id}`).value);
  const reorder = number("shuffle") > 1 ? { window: number("shuffle"), seed: Date.now() % 1000 } : null;
  const webhooks = { ...faults.webhooks, duplicates: number("duplicates"), delay_ms: number("delay"), drop_next: number("drop"), reorder };
  send("PUT", "/faults", { ...faults, webhooks });
});

// The stream

/** Phones of nobody here that were called: a customer called back, a conference's guest. */
function phonesElsewhere() {
  const others = state.phones.filter((phone) => !state.agents.some((agent) => agent.phone === phone.address));
  return others.map(({ address }) => ({ worker_sid: address, name: address, phone: address, elsewhere: true }));
}

function showMoment() {
  if (!state) return;
  showCustomer();
  state.agents.forEach(showPhone);
  phonesElsewhere().forEach(showPhone);
}

function linked(live) {
  const link = find("#link");
  link.dataset.live = String(live);
  write(link, live ? "live" : "no connection");
}

let seen = 0;
const stream = new EventSource("/sandbox/stream");
stream.addEventListener("open", () => linked(true));
stream.addEventListener("error", () => linked(false));
stream.addEventListener("message", (event) => {
  const news = JSON.parse(event.data);
  ({ state, faults } = news);
  ahead = state.now_ms - Date.now();
  showMoment();
  showTasks();
  showFaults();
  showLog(news.log.filter((one) => one.id > seen));
  seen = Math.max(seen, ...news.log.map((one) => one.id));
});
setInterval(showMoment, 500);
