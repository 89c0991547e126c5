// What went over the wire.

import { find, make } from "./dom.js";

const kept = 400;
const ways = { rest: "← gateway", push: "← gateway", webhook: "→ gateway", sip: "⇄ gateway" };

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}

function entry(one) {
  const asks = one.direction === "sip" && one.status === null;
  const failed = !asks && (one.status === null || one.status >= 400);
  const title = make("span", "title", [make("span", "", one.name || one.url)]);
  if (one.note) title.append(make("span", "note-text", one.note));
  const at = make("time", "", new Date(one.at_ms).toISOString().slice(11, 23));
  const status = make("span", `chip ${failed ? "bad" : "good"}`, asks ? "asks" : one.status === null ? "no answer" : String(one.status));
  const summary = make("summary", "", [at, make("span", "way", ways[one.direction]), title, status]);
  const details = make("details", "", [summary]);
  // What is inside is made when somebody looks.
  details.addEventListener("toggle", () => {
    if (details.children.length > 1) return;
    const list = make("dl", "", one.params.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
    const body = make("div", "body", [make("code", "", asks || one.direction !== "sip" ? `${one.method} ${one.url}` : one.name), list]);
    if (one.answer) body.append(make("pre", "", pretty(one.answer)));
    details.append(body);
  });
  return make("li", `${one.direction}-entry`, [details]);
}

export function showLog(fresh) {
  const log = find("#log");
  for (const one of fresh) log.prepend(entry(one));
  while (log.children.length > kept) log.lastElementChild.remove();
  find("#no-log").hidden = log.children.length > 0;
}

for (const button of document.querySelectorAll("button[data-show]")) {
  button.addEventListener("click", () => {
    find("#log").dataset.show = button.dataset.show;
    for (const other of document.querySelectorAll("button[data-show]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
  });
}
find("#clear").addEventListener("click", () => {
  find("#log").replaceChildren();
  find("#no-log").hidden = false;
});
