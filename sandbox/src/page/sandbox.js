// What the stand-in last said, and what is asked of it.

import { find, write } from "./dom.js";

/** The last snapshot, the faults, and what the sandbox's clock is ahead of ours, in milliseconds. */
export const sandbox = { state: null, faults: null, ahead: 0 };

export const now = () => Date.now() + sandbox.ahead;
export const seconds = (from) => Math.max(0, Math.round((now() - from) / 1000));
export const clock = (count) => `${Math.floor(count / 60)}:${String(count % 60).padStart(2, "0")}`;

/** How long ago something was, in words that change rarely. */
export function age(at) {
  const minutes = Math.floor(seconds(at) / 60);
  return minutes < 1 ? "now" : minutes < 60 ? `${minutes} min ago` : `${Math.floor(minutes / 60)} h ago`;
}

export const nameOf = (phone) => sandbox.state.agents.find((agent) => agent.phone === phone)?.name ?? phone;
export const nameOfWorker = (sid) => sandbox.state.agents.find((agent) => agent.worker_sid === sid)?.name ?? sid;

/** Asks the control API; what goes wrong is shown in `trouble`. Returns the answer's JSON, or null if it is a refusal. */
export async function send(method, path, body, trouble = find("#trouble")) {
  try {
    const answer = await fetch(`/sandbox${path}`, {
      method,
      headers: { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    write(trouble, answer.ok ? "" : `That did not work: ${reason(text) || answer.status}`);
    return answer.ok ? (parsed(text) ?? {}) : null;
  } catch {
    write(trouble, "The sandbox does not answer.");
    return null;
  }
}

function parsed(text) {
  try { return JSON.parse(text); } catch { return undefined; }
}

/** The stand-in's own errors, and the gateway's: problem details (RFC 9457) with a `code`. */
function reason(text) {
  const { error, detail, title, code } = parsed(text) ?? {};
  const words = error ?? detail ?? title ?? text;
  return code && !words.includes(code) ? `${words} (${code})` : words;
}
