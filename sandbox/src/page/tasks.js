// Tasks and their reservations.

import { find, make } from "./dom.js";
import { nameOfWorker, sandbox } from "./sandbox.js";

const mood = {
  assigned: "busy", accepted: "busy", wrapping: "busy", reserved: "busy", pending: "", completed: "good",
  canceled: "bad", rejected: "bad", timeout: "bad", rescinded: "bad",
};
const chip = (status, text = status) => make("span", `chip ${mood[status] ?? ""}`, text);

export function showTasks() {
  const { event_callback, reservations, tasks } = sandbox.state;
  find("#no-gateway").hidden = event_callback !== null;
  find("#no-tasks").hidden = tasks.length > 0;
  find("#tasks").replaceChildren(...tasks.slice(-20).reverse().map((task) => {
    const sid = make("code", "sid", `${task.sid.slice(0, 10)}…`);
    sid.title = task.sid;
    const offers = reservations.filter((one) => one.task_sid === task.sid).map((offer) =>
      make("div", "offer", [
        make("span", "", nameOfWorker(offer.worker_sid)),
        chip(offer.status, offer.on_hold ? "being called" : offer.status),
      ]));
    return make("li", "", [make("div", "top", [sid, make("span", "hint", task.channel), chip(task.status)]), ...offers]);
  }));
}
