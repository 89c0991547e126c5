// What an agent's phone shows but calls: a one-time code, notifications, and the app with the agent's chats.

import { bubble, conversations, customerOf, isAgent } from "./chats.js";
import { button, find, keep, label, make, write } from "./dom.js";
import { age, now, sandbox, send } from "./sandbox.js";

const channels = { sms: "by text message", call: "by a call", whatsapp: "by WhatsApp" };

/** Which chat each agent has chosen, by worker. */
const chosen = new Map();

/** What the agent has accepted, and the conversation of each. */
function chatsOf(agent) {
  const { reservations, tasks } = sandbox.state;
  const own = reservations.filter((one) => one.worker_sid === agent.worker_sid && ["accepted", "wrapping"].includes(one.status));
  return own.flatMap((offer) => {
    const wanted = tasks.find((one) => one.sid === offer.task_sid)?.conversation_sid;
    const conversation = wanted && conversations().find((one) => one.sid === wanted);
    return conversation ? [{ offer, conversation }] : [];
  });
}

/** Messages of others above the agent's read horizon. */
function unreadIn(agent, conversation) {
  const horizon = conversation.participants.find((one) => isAgent(agent, one.identity))?.last_read ?? -1;
  return conversation.messages.filter((one) => one.index > horizon && !isAgent(agent, one.author)).length;
}

/** What the app's icon shows: what was pushed, less what has been read since. */
function unread(devices, agent, chats) {
  const pushed = Math.max(0, ...devices.map((device) => device.badge ?? 0));
  const there = chats.reduce((sum, chat) => sum + unreadIn(agent, chat.conversation), 0);
  return chats.length === 0 ? pushed : devices.length === 0 ? there : Math.min(pushed, there);
}

/** The notifications of all of the agent's devices, as one phone would show them: one of a tag, the latest first. */
function notificationsOf(devices) {
  const shown = devices.flatMap((device) => device.shown.map((place) => ({ device, ...device.notifications[place] })));
  const latest = new Map(shown.sort((a, b) => a.at_ms - b.at_ms).map((one) => [one.tag ?? one.id, one]));
  return [...latest.values()].reverse();
}

/** Does something as the agent's app; what the gateway says against it is shown on the phone. */
function asApp(shown, agent, path, body, method = "POST") {
  return send(method, `/apps/${encodeURIComponent(agent.phone)}${path}`, body, find(".said", shown));
}

function notification(shown, agent, one) {
  const dismiss = () => send("POST", `/devices/${one.device.id}`, { dismiss: one.tag ?? "" });
  const close = button("quiet", "×", dismiss);
  label(close, `Dismiss ${one.title}`);
  close.hidden = !one.tag;
  const card = make("li", "note", [make("strong", "", one.title), make("time", "age"), close, make("p", "", one.body)]);
  find(".age", card).setAttribute("aria-live", "off");
  const row = make("div", "note-keys");
  for (const action of one.actions) {
    const name = action.charAt(0).toUpperCase() + action.slice(1);
    row.append(button(action === "accept" ? "go" : "", name, () => {
      dismiss();
      asApp(shown, agent, `/tasks/${one.task}/${action}`, {});
    }));
  }
  if (one.conversation && one.actions.length === 0) {
    row.append(button("", "Open", () => {
      dismiss();
      chosen.set(agent.worker_sid, one.conversation);
      showLock(shown, agent, false);
      find(".reply input", shown).focus();
    }));
  }
  if (row.children.length > 0) card.append(row);
  return card;
}

function showNotifications(shown, agent, devices) {
  const rows = notificationsOf(devices);
  const list = find(".notes", shown);
  label(list, `Notifications of ${agent.name}`);
  const hasApp = sandbox.state.apps.includes(agent.phone);
  keep(list, rows, (one) => `${one.device.id} ${one.id} ${one.at_ms}`, (one) => notification(shown, agent, one), (card, one) => {
    write(find(".age", card), age(one.at_ms));
  });
  find(".no-app", shown).hidden = hasApp || rows.every((one) => one.actions.length === 0);
  return rows.length > 0;
}

function showCode(shown, agent) {
  const codes = sandbox.state.codes.filter((one) => one.to === agent.phone && one.status === "pending" && one.expires_ms > now());
  const latest = codes.sort((a, b) => a.at_ms - b.at_ms).at(-1);
  find(".code", shown).hidden = !latest;
  if (latest) {
    write(find(".digits", shown), latest.code);
    write(find(".code-how", shown), `is your code, ${channels[latest.channel]}`);
  }
  return latest !== undefined;
}

function showChats(shown, agent, chats) {
  const app = find(".app", shown);
  const chat = chats.find((one) => one.conversation.sid === chosen.get(agent.worker_sid)) ?? chats.at(-1);
  app.hidden = !chat;
  if (!chat) return false;
  const { conversation } = chat;
  const customer = customerOf(conversation);
  label(app, `Chats of ${agent.name}`);
  find(".chosen", app).hidden = chats.length < 2;
  keep(find(".chosen", app), chats, (one) => one.conversation.sid, (one) =>
    button("", "", () => { chosen.set(agent.worker_sid, one.conversation.sid); showChats(shown, agent, chatsOf(agent)); }),
  (element, one) => {
    write(element, customerOf(one.conversation));
    element.setAttribute("aria-pressed", String(one === chat));
  });
  const transcript = find(".transcript", app);
  label(transcript, `Chat of ${agent.name} with ${customer}`);
  const grown = keep(transcript, conversation.messages, (one) => one.sid, (one) => bubble(conversation, one, false));
  if (grown) transcript.scrollTop = transcript.scrollHeight;
  const field = find(".reply input", app);
  label(field, `Reply to ${customer}`);
  if (field.placeholder !== `Reply to ${customer}`) field.placeholder = `Reply to ${customer}`;
  find(".wrapup", app).disabled = chat.offer.status === "wrapping";
  if (!app.dataset.ready) prepare(shown, agent, app);
  app.dataset.ready = "true";
  Object.assign(app.dataset, { task: chat.offer.sid, conversation: conversation.sid, last: conversation.messages.at(-1)?.index ?? "" });
  return true;
}

/** The app's fields and buttons always act on the chat that is shown. */
function prepare(shown, agent, app) {
  const field = find(".reply input", app);
  const task = (act) => asApp(shown, agent, `/tasks/${app.dataset.task}/${act}`, {});
  find(".wrapup", app).addEventListener("click", () => task("wrapup"));
  find(".complete", app).addEventListener("click", () => task("complete"));
  // Whoever goes to the field has read what stands above it.
  field.addEventListener("focus", () => {
    const { conversation, last } = app.dataset;
    const mine = chatsOf(agent).find((one) => one.conversation.sid === conversation);
    if (mine && unreadIn(agent, mine.conversation) > 0) asApp(shown, agent, `/conversations/${conversation}/read`, { index: Number(last) });
  });
  find(".reply", app).addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = field.value;
    if (!body.trim()) return;
    const sent = await asApp(shown, agent, `/conversations/${app.dataset.conversation}/messages`, { body });
    if (sent && field.value === body) field.value = "";
  });
}

/** Shows all of it; `covered`: a call that rings covers it. */
export function showLock(shown, agent, covered) {
  const devices = sandbox.state.devices.filter((device) => device.owner === agent.phone);
  const chats = chatsOf(agent);
  const count = unread(devices, agent, chats);
  const badge = find(".unread", shown);
  badge.hidden = count === 0;
  label(badge, `${count} unread`);
  write(badge, String(count));
  find(".lock", shown).hidden = covered;
  const busy = [showCode(shown, agent), showNotifications(shown, agent, devices), showChats(shown, agent, chats)].includes(true);
  find(".phone", shown).dataset.busy = String(busy && !covered);
}
