// Faults on demand.

import { find, make } from "./dom.js";
import { sandbox, send } from "./sandbox.js";

const operations = [
  "UpdateTaskReservation", "UpdateWorkerReservation", "FetchTaskReservation", "ListWorkerReservation", "FetchTask",
  "UpdateTask", "CreateTask", "UpdateWorker", "FetchWorker", "ListWorker", "ListActivity", "FetchWorkflow", "ListEvent",
  "CreateCall", "UpdateCall", "ListConference", "UpdateConference", "CreateParticipant", "FetchConfiguration",
  "CreateVerification", "CreateVerificationCheck",
];
for (const name of operations) find("#operation").append(new Option(name));

const actNames = new Map([...find("#act").options].map((option) => [JSON.parse(option.value), option.text]));

function actName(act) {
  for (const [known, name] of actNames) {
    if (Object.entries(known).every(([key, value]) => act[key] === value)) return name;
  }
  return JSON.stringify(act);
}

export function showFaults() {
  const { faults } = sandbox;
  find("#down").checked = faults.down;
  find("#rest-faults").replaceChildren(...faults.rest.map((fault) =>
    make("li", "", `${fault.times ?? "∞"} × ${fault.operation ?? "any request"}: ${actName(fault.act)}`)));
  const shown = { duplicates: faults.webhooks.duplicates, delay: faults.webhooks.delay_ms, drop: faults.webhooks.drop_next, shuffle: faults.webhooks.reorder?.window ?? 0 };
  for (const [id, value] of Object.entries(shown)) {
    const field = find(`#${id}`);
    if (!field.matches(":focus") && field.dataset.shown !== String(value)) field.value = field.dataset.shown = String(value);
  }
}

find("#down").addEventListener("change", (event) => send("PUT", "/faults", { ...sandbox.faults, down: event.target.checked }));
find("#lift").addEventListener("click", () => send("DELETE", "/faults"));
find("#rest-fault").addEventListener("submit", (event) => {
  event.preventDefault();
  const operation = find("#operation").value || null;
  send("POST", "/faults", { operation, times: Number(find("#times").value), act: JSON.parse(find("#act").value) });
});
find("#webhook-faults").addEventListener("submit", (event) => {
  event.preventDefault();
  const { faults } = sandbox;
  const number = (id) => Number(find(`#${id}`).value);
  const reorder = number("shuffle") > 1 ? { window: number("shuffle"), seed: Date.now() % 1000 } : null;
  const webhooks = { ...faults.webhooks, duplicates: number("duplicates"), delay_ms: number("delay"), drop_next: number("drop"), reorder };
  send("PUT", "/faults", { ...faults, webhooks });
});
