// A person at the sandbox's page calls an agent whose softphone is answered, and sees what the customer says and hears:
// `node sandbox-sound.mjs URL` ends with 0 if all went as it should.

import { readFileSync } from "node:fs";

import { file, load } from "./packages.mjs";

const { chromium } = load("playwright-core");

/** Long enough for a machine that is busy; nothing waits so long when all is well. */
const LIMIT = 20_000;
const CHROMIUM = process.env.OFFDESK_CHROMIUM ?? "/usr/bin/chromium";
const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

const [url] = process.argv.slice(2);
const troubles = [];

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", ...QUIET],
});
try {
  await call();
} finally {
  await browser.close();
}
if (troubles.length > 0) {
  console.error(troubles.join("\n"));
  process.exitCode = 1;
}

async function call() {
  // The page lets no script of others in; axe is let in past that.
  const context = await browser.newContext({ viewport: { width: 390, height: 900 }, bypassCSP: true });
  context.setDefaultTimeout(LIMIT);
  const page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && troubles.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => troubles.push(`page: ${error.message}`));
  await page.goto(url);
  const sound = page.getByRole("group", { name: "Sound of the call" });
  await page.getByRole("button", { name: "Place call" }).click();
  await page.getByText("You are talking with Ada Okafor.").waitFor();
  await sound.getByText("says 660 Hz").waitFor();
  await sound.getByText("hears 880 Hz").waitFor();
  const level = await sound.getByLabel("How loud it is what the customer hears").evaluate((bar) => bar.value);
  if (!(level > 50)) troubles.push(`the bar is at ${level}`);
  await page.getByRole("button", { name: "SIP", exact: true }).click();
  await page.getByText("INVITE", { exact: true }).first().waitFor();
  await page.evaluate(readFileSync(file("axe-core/axe.min.js"), "utf8"));
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  for (const { id, impact, nodes } of violations.filter((one) => ["serious", "critical"].includes(one.impact))) {
    troubles.push(`axe: ${impact}: ${id}: ${nodes.map((node) => node.target).join(", ")}`);
  }
  await page.getByRole("button", { name: "Hang up" }).click();
  await page.getByText("Completed, after a call with Ada Okafor.").waitFor();
  await sound.waitFor({ state: "hidden" });
}
