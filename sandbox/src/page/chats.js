// Conversations: what the customer's side and the agents' phones both show of them.

import { make } from "./dom.js";
import { nameOfWorker, sandbox } from "./sandbox.js";

export const conversations = () => sandbox.state.conversations ?? [];

/** Conversations writes an identity's special characters as an underscore and two hexadecimal digits. */
const plain = (identity) => identity?.replace(/_([0-9A-F]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));

export const isAgent = (agent, identity) => plain(identity) === agent.worker_name;

export const customerOf = (chat) => chat.customer?.name || chat.customer?.address || "the customer";

/** The name of whoever wrote a message, and whether that is the customer. */
function author(chat, name) {
  const agent = sandbox.state.agents.find((one) => isAgent(one, name));
  if (agent) return [agent.name, false];
  const member = chat.participants.find((one) => one.identity === name || one.address === name);
  const customer = name === chat.customer?.address || name === chat.customer?.name || Boolean(member?.address);
  return customer ? [customerOf(chat), true] : [name || "Twilio", false];
}

/** One message, as the customer sees it or as an agent does. */
export function bubble(chat, message, byCustomer) {
  const [name, customer] = author(chat, message.author);
  const own = customer === byCustomer;
  const files = message.media.map((file) => make("span", "file", `${file.filename || file.content_type}, ${Math.ceil(file.size / 1000)} kB`));
  const who = make("span", "author", customer && byCustomer ? "You" : name);
  return make("div", `bubble ${own ? "own" : ""}`, [who, ...(message.body ? [make("span", "words", message.body)] : []), ...files]);
}

/** Where a chat is, in a sentence. */
export function whereabouts(chat) {
  if (chat.state === "closed") return "This chat is closed.";
  if (chat.orphaned) return "No agent is on this chat any more.";
  const offer = sandbox.state.reservations.findLast((one) => one.task_sid === chat.task_sid);
  const who = offer ? nameOfWorker(offer.worker_sid) : "";
  switch (offer?.status) {
    case "pending": return `Offered to ${who}.`;
    case "accepted": return `You are chatting with ${who}.`;
    case "wrapping": return `${who} is wrapping up.`;
    case "completed": return `${who} has completed the task.`;
    default: return "You wait: no agent has taken the chat yet.";
  }
}
