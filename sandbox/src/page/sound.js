// What the customer says and hears, where the agent is at a softphone: bars, and pitches in words.

import { find, write } from "./dom.js";
import { sandbox } from "./sandbox.js";

/** A tone at a quarter of the full scale, which is what the customer speaks with. */
const spoken = 80;

/** The leg to an agent's softphone that belongs to the customer's call, while they talk. */
function softphone(call) {
  const legs = sandbox.state.calls.filter((leg) => leg.task_sid === call?.task_sid && leg.role !== "customer");
  return legs.findLast((leg) => leg.sound && leg.status === "in-progress");
}

function bar(name, level, words) {
  find(`#${name}`).value = level;
  write(find(`#${name}-line`), words);
}

export function showSound(call) {
  const leg = call?.status === "in-progress" ? softphone(call) : undefined;
  find("#sound").hidden = !leg;
  if (!leg) return;
  const { says_hz: says, hears_hz: hears, level } = leg.sound;
  bar("says", says > 0 ? spoken : 0, says > 0 ? `says ${says} Hz` : "is on hold");
  bar("hears", level, hears ? `hears ${hears} Hz` : level > 0 ? "hears something" : "hears nothing");
}
