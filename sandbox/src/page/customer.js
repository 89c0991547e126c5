// The customer: a call, and chats.

import { bubble, conversations, customerOf, whereabouts as whereaboutsOfChat } from "./chats.js";
import { button, find, keep, write } from "./dom.js";
import { nameOf, nameOfWorker, sandbox, send } from "./sandbox.js";
import { showSound } from "./sound.js";

/** So many of the latest chats can be chosen. */
const chatsShown = 8;

/** The customer's call that the page is about: the latest. */
const customerCall = () => sandbox.state.calls.findLast((call) => call.role === "customer");

/** Where the call is: a step, whether it ended badly there, and a line that says so. */
function whereabouts(call) {
  const { state } = sandbox;
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
  if (leg?.to.startsWith("sip:") && ["queued", "ringing"].includes(leg.status)) return ["ring", false, `You are put through to ${who}’s softphone.`];
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

function showCall() {
  const call = customerCall();
  const live = call?.status === "in-progress";
  find("#place").disabled = live;
  find("#hang-up").disabled = !live;
  const [step, lost, line] = call ? whereabouts(call) : [null, false, "No call yet."];
  write(find("#call-line"), line);
  showSound(call);
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

/** The sid of the chat that was chosen; none: the latest. */
let chosen = null;

const chat = () => conversations().find((one) => one.sid === chosen) ?? conversations().at(-1);

function showChat() {
  const one = chat();
  const open = one !== undefined && one.state !== "closed";
  find("#say").disabled = !open;
  find("#orphan").hidden = !one?.orphaned;
  write(find("#chat-line"), one ? whereaboutsOfChat(one) : "No chat yet.");
  const chats = conversations().slice(-chatsShown).reverse();
  find("#chats").hidden = chats.length < 2;
  keep(find("#chats"), chats, (each) => each.sid, (each) => button("", "", () => { chosen = each.sid; showChat(); }), (element, each) => {
    write(element, `${customerOf(each)}, ${new Date(each.created_ms).toTimeString().slice(0, 5)}`);
    element.setAttribute("aria-pressed", String(each === one));
    element.classList.toggle("orphaned", each.orphaned);
  });
  const transcript = find("#transcript");
  transcript.hidden = !one;
  const grown = keep(transcript, one?.messages ?? [], (message) => message.sid, (message) => bubble(one, message, true));
  if (grown) transcript.scrollTop = transcript.scrollHeight;
}

/** Sends what is in the field, in a chat of its own if there is none. */
async function say(anew) {
  const [from, name, field] = ["#from", "#customer-name", "#message"].map((id) => find(id));
  if (!from.reportValidity() || !field.reportValidity()) return;
  const text = field.value;
  const answer = anew
    ? await send("POST", "/chats", { from: from.value, name: name.value, text }, find("#chat-trouble"))
    : await send("POST", `/chats/${chat().sid}/messages`, { text }, find("#chat-trouble"));
  if (!answer) return;
  if (field.value === text) field.value = "";
  if (anew) chosen = answer.conversation_sid;
  field.focus();
}

find("#start-chat").addEventListener("click", () => say(true));
find("#say").addEventListener("click", () => say(false));
find("#message").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.isComposing) say(find("#say").disabled);
});

export function showCustomer() {
  showCall();
  showChat();
}
