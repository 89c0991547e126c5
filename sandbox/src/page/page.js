// The sandbox's page: shows what the stream says, and sends what the person does. No framework, and no state but the last
// snapshot and what the person has chosen.

import { showCustomer } from "./customer.js";
import { find, write } from "./dom.js";
import { showFaults } from "./faults.js";
import { showLog } from "./log.js";
import { showPhones } from "./phones.js";
import { sandbox } from "./sandbox.js";
import { showTasks } from "./tasks.js";

function showMoment() {
  if (!sandbox.state) return;
  showCustomer();
  showPhones();
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
  const { state, faults, log } = JSON.parse(event.data);
  Object.assign(sandbox, { state, faults, ahead: state.now_ms - Date.now() });
  showMoment();
  showTasks();
  showFaults();
  showLog(log.filter((one) => one.id > seen));
  seen = Math.max(seen, ...log.map((one) => one.id));
});
setInterval(showMoment, 500);
