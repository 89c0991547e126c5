// The packages of package-lock.json stand in the user's cache folder, not in the checkout: OFFDESK_NODE_MODULES says where.

import { createRequire } from "node:module";
import { join } from "node:path";

const folder = process.env.OFFDESK_NODE_MODULES ?? join(import.meta.dirname, "node_modules");

/** Loads a package, or a file of one. */
export const load = createRequire(join(folder, "counterparts.js"));

/** The path of a file in a package. */
export const file = (name) => load.resolve(name);
