// Twilio's OpenAPI documents, as the npm package @twilio/cli-core carries them, read by Prism.

import { readFileSync } from "node:fs";

import { file, load } from "./packages.mjs";

// Prism's index would load its mock server too, which takes seconds.
const { getHttpOperationsFromSpec } = load("@stoplight/prism-http/dist/utils/operations");

/** The products that the gateway talks to, and the file of each. */
const PRODUCTS = {
  taskrouter: "twilio_taskrouter_v1.json",
  api: "twilio_api_v2010.json",
  flex: "twilio_flex_v1.json",
  conversations: "twilio_conversations_v1.json",
  verify: "twilio_verify_v2.json",
  events: "twilio_events_v1.json",
  sync: "twilio_sync_v1.json",
};

/** All documents; a product's is read when it is first asked for, an operation is prepared when it is first met. */
export class Documents {
  #products = new Map();
  #operations = new Map();

  /**
   * The operation that a request is for, or undefined.
   * `schema` is the operation as the document has it, `resource` as Prism wants it.
   */
  async find(method, path, product) {
    for (const name of product === undefined ? Object.keys(PRODUCTS) : [product]) {
      const document = this.#document(name);
      const template = bestTemplate(document, method.toLowerCase(), path);
      if (template !== undefined) {
        return this.#operation(name, document, template, method.toLowerCase());
      }
    }
    return undefined;
  }

  #document(product) {
    if (!(product in PRODUCTS)) {
      throw new Error(`no document for the product ${product}`);
    }
    if (!this.#products.has(product)) {
      const path = file(`@twilio/cli-core/src/services/twilio-api/${PRODUCTS[product]}`);
      this.#products.set(product, JSON.parse(readFileSync(path, "utf8")));
    }
    return this.#products.get(product);
  }

  async #operation(product, document, template, method) {
    const key = `${product} ${method} ${template}`;
    if (!this.#operations.has(key)) {
      this.#operations.set(key, await prepare(product, document, template, method));
    }
    return this.#operations.get(key);
  }
}

/** Of the templates that match, the one with the fewest parameters: `/Workers/Statistics` before `/Workers/{Sid}`. */
function bestTemplate(document, method, path) {
  const matching = Object.entries(document.paths)
    .filter(([template, item]) => method in item && pattern(template).test(path))
    .map(([template]) => template);
  return matching.sort((a, b) => parameters(a) - parameters(b))[0];
}

const parameters = (template) => template.split("{").length;

function pattern(template) {
  const literal = (text) => text.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  const parts = template.split(/\{[^}]*\}/).map(literal);
  return new RegExp(`^${parts.join("[^/]+")}$`);
}

/** Hands Prism a document with this one operation in it: the whole of one takes it seconds. */
async function prepare(product, document, template, method) {
  const item = document.paths[template];
  const schema = withExplodedArrays(item[method], document);
  const parts = { paths: { [template]: { servers: item.servers, [method]: schema } } };
  const components = referenced(parts, document);
  components.securitySchemes = document.components.securitySchemes;
  const { openapi, info, servers } = document;
  // A copy, since Prism writes into what it is given.
  const [resource] = await getHttpOperationsFromSpec(structuredClone({ openapi, info, servers, ...parts, components }));
  return { product, template, method, schema, document, resource };
}

/** Form fields that are lists come as repeated names; the documents forget to say so. */
function withExplodedArrays(operation, document) {
  const copy = structuredClone(operation);
  const form = copy.requestBody?.content?.["application/x-www-form-urlencoded"];
  if (form !== undefined) {
    const properties = Object.entries(resolve(form.schema, document).properties ?? {});
    const lists = properties.filter(([, property]) => resolve(property, document).type === "array");
    form.encoding = Object.fromEntries(lists.map(([name]) => [name, { style: "form", explode: true }]));
  }
  return copy;
}

/** Follows a `$ref` within the document. */
export function resolve(schema, document) {
  if (schema?.$ref === undefined) {
    return schema ?? {};
  }
  const keys = schema.$ref.replace(/^#\//, "").split("/");
  return resolve(keys.reduce((value, key) => value[key.replaceAll("~1", "/").replaceAll("~0", "~")], document), document);
}

/** The components that a part of the document refers to, and what these refer to in turn. */
function referenced(part, document, found = {}) {
  for (const [, kind, name] of JSON.stringify(part).matchAll(/"\$ref":"#\/components\/([^/"]+)\/([^"]+)"/g)) {
    if (found[kind]?.[name] === undefined) {
      found[kind] = { ...found[kind], [name]: document.components[kind][name] };
      referenced(found[kind][name], document, found);
    }
  }
  return found;
}
