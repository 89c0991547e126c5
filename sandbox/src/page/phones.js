// The agents' phones: calls on them, and what stands on the desk beside them.

import { button, find, label, write } from "./dom.js";
import { showLock } from "./lock.js";
import { clock, now, sandbox, seconds, send } from "./sandbox.js";

const KEYS = [..."123456789*0#"];

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
  part("dial").setAttribute("aria-label", `Keys of ${agent.name}’s phone`);
  part("dial").append(...KEYS.map((key) => button("", key, () => send("POST", `/phones/${phone}/keys`, { key }))));
  part("activity").setAttribute("aria-label", `Activity of ${agent.name}`);
  part("activity").addEventListener("change", (event) =>
    send("POST", `/workers/${agent.worker_sid}/activity`, { activity: event.target.value }));
  part("auto").setAttribute("aria-label", `What ${agent.name}’s phone does by itself`);
  part("auto").addEventListener("change", (event) => send("POST", `/phones/${phone}`, { auto: JSON.parse(event.target.value) }));
  part("reachable").setAttribute("aria-label", `${agent.name}’s phone has a signal`);
  part("reachable").addEventListener("change", (event) => setReachable(agent, event.target.checked));
  find("#phones").append(fresh);
  cards.set(agent.worker_sid, fresh);
  return fresh;
}

/** Without a signal neither calls nor pushes get to the phone. */
function setReachable(agent, reachable) {
  send("POST", `/phones/${encodeURIComponent(agent.phone)}`, { reachable });
  for (const device of sandbox.state.devices.filter((one) => one.owner === agent.phone)) {
    send("POST", `/devices/${device.id}`, { offline: !reachable });
  }
}

function showPhone(agent) {
  const shown = card(agent);
  const part = (name) => find(`.${name}`, shown);
  const phone = sandbox.state.phones.find((one) => one.address === agent.phone);
  const call = sandbox.state.calls.find((one) => one.sid === phone?.call_sid);
  const ringing = call?.status === "ringing";
  const talking = call?.status === "in-progress";
  part("phone").dataset.state = ringing ? "ringing" : talking ? "talking" : phone?.reachable === false ? "unreachable" : "idle";
  part("answer").hidden = part("decline").hidden = part("left").hidden = !ringing;
  part("time").hidden = !call;
  part("end").hidden = !talking;
  const spoken = talking && !call.talks_with_sid && Boolean(call.says);
  part("voice").hidden = part("dial").hidden = !spoken;
  write(part("voice"), spoken ? call.says : "");
  write(part("clock"), new Date(now()).toTimeString().slice(0, 5));
  write(part("signal"), phone?.reachable === false ? "no signal" : "●●●●");
  showWhat(part, agent, call);
  if (agent.elsewhere) return;
  // A call that rings, or that asks for a key, takes the whole screen.
  showLock(shown, agent, ringing || spoken);
  showDesk(part, agent, phone);
}

function showWhat(part, agent, call) {
  if (call?.status === "ringing") {
    const left = Math.max(0, call.rings_until_ms - now());
    part("left").value = left / (call.ring_s * 1000);
    label(part("left"), "Time left to answer");
    write(part("what"), `Incoming call from ${call.from}`);
    write(part("time"), `rings ${Math.ceil(left / 1000)} s more`);
  } else if (call?.status === "in-progress") {
    write(part("what"), "On a call");
    write(part("time"), clock(seconds(call.answered_ms)));
  } else if (agent.elsewhere) write(part("what"), "Not an agent’s phone");
  else write(part("what"), agent.available ? `${agent.activity}: may be called` : `${agent.activity}: gets no calls`);
}

function showDesk(part, agent, phone) {
  const select = part("activity");
  const wanted = sandbox.state.activities.map((activity) => activity.name);
  if (select.options.length !== wanted.length) select.replaceChildren(...wanted.map((name) => new Option(name)));
  if (document.activeElement !== select || select.value !== agent.activity) select.value = agent.activity;
  const devices = sandbox.state.devices.filter((device) => device.owner === agent.phone);
  const named = devices.map((device) => `${device.name || device.kind}${device.gone ? " (gone)" : device.offline ? " (offline)" : ""}`);
  write(part("devices"), named.length > 0 ? `Pushes go to ${named.join(", ")}.` : "No app gets pushes here yet.");
  if (phone) {
    part("reachable").checked = phone.reachable;
    const same = [...part("auto").options].find((option) => JSON.parse(option.value).do === phone.auto.do);
    if (same) part("auto").value = same.value;
  }
}

/** Phones of nobody here that were called: a customer called back, a conference's guest. */
function phonesElsewhere() {
  const { agents, phones } = sandbox.state;
  const others = phones.filter((phone) => !agents.some((agent) => agent.phone === phone.address));
  return others.map(({ address }) => ({ worker_sid: address, name: address, phone: address, elsewhere: true }));
}

export function showPhones() {
  sandbox.state.agents.forEach(showPhone);
  phonesElsewhere().forEach(showPhone);
}
