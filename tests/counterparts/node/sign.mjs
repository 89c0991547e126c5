// Signs webhooks with Twilio's own JavaScript library.
//
// One JSON line in: {"token", "url", "params": [[name, value], …]} for a form, or {"token", "url", "body": "…"} for JSON.
// One JSON line out: {"url", "signature"}; for a body, the URL that is signed has bodySHA256 added, as Twilio does.

import { load } from "./packages.mjs";
import { answerEach } from "./lines.mjs";

const twilio = load("twilio");

await answerEach(({ token, url, params, body }) => {
  const signed = body === undefined ? url : withBodyHash(url, body);
  const signature = twilio.getExpectedTwilioSignature(token, signed, grouped(params ?? []));
  return { url: signed, signature };
});

function withBodyHash(url, body) {
  // Twilio puts the parameter before a fragment, which is never sent.
  const [address, fragment] = url.split("#");
  const parameter = `bodySHA256=${twilio.getExpectedBodyHash(body)}`;
  return `${address}${address.includes("?") ? "&" : "?"}${parameter}${fragment === undefined ? "" : `#${fragment}`}`;
}

/** A name that occurs more than once has a list of values. */
function grouped(pairs) {
  const params = Object.create(null);
  for (const [name, value] of pairs) {
    params[name] = name in params ? [params[name], value].flat() : value;
  }
  return params;
}
