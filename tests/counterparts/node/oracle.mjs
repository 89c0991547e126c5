// Judges what the gateway asked of Twilio, and what the stand-in for Twilio answered, by Twilio's OpenAPI documents.
//
// Prism checks required parameters, types, enumerations, patterns and the schema of the answer. It lets names pass that
// the documents do not know, in the query, in the form and in the answer: those are checked here.

import { load } from "./packages.mjs";
import { Documents, resolve } from "./documents.mjs";

const { validateInput, validateOutput, validateSecurity } = load("@stoplight/prism-http/dist/validator");

const FORM = "application/x-www-form-urlencoded";

/**
 * An exchange, as the tests record it:
 * { product?, method, path, query?: [[name, value], …], form?: [[name, value], …], headers?, status?, answer? }
 * `path` may hold the query. Without `status` only the request is judged, without `headers` not its credentials.
 */
export class Oracle {
  #documents = new Documents();

  /** Returns the operation's name in Twilio's document, and what is wrong as a list of { part, at, message }. */
  async judge(exchange) {
    const request = normalised(exchange);
    const operation = await this.#documents.find(request.method, request.path, exchange.product);
    if (operation === undefined) {
      const message = `Twilio has no ${request.method} ${request.path}`;
      return { operation: null, violations: [{ part: "request", at: "path", message }] };
    }
    const violations = [...requestViolations(operation, request), ...answerViolations(operation, exchange)];
    return { operation: operation.schema.operationId, violations };
  }
}

function normalised({ method, path, query = [], form = [], headers }) {
  const url = new URL(path, "https://twilio.invalid");
  return { method: method.toUpperCase(), path: url.pathname, query: [...url.searchParams, ...query], form, headers };
}

function requestViolations(operation, { path, query, form, headers }) {
  const body = form.length === 0 ? undefined : new URLSearchParams(form).toString();
  const sent = body === undefined ? { ...headers } : { ...headers, "content-type": FORM, "content-length": `${body.length}` };
  const element = { method: operation.method, url: { path, query: grouped(query) }, headers: sent, body };
  const { resource } = operation;
  return [
    ...told(validateInput({ resource, element }), "request"),
    ...(headers === undefined ? [] : told(validateSecurity({ resource, element }), "request")),
    ...unknown("query", query, knownQuery(operation)),
    ...unknown("form", form, knownForm(operation)),
  ];
}

function answerViolations(operation, { status, answer }) {
  if (status === undefined) {
    return [];
  }
  if (status >= 400) {
    return errorViolations(status, answer);
  }
  const body = answer ?? undefined;
  const content = operation.schema.responses[status]?.content?.["application/json"];
  const excused = new Set(examples(content).flatMap((example) => schemaViolations(operation, status, example).map(kind)));
  return [
    ...schemaViolations(operation, status, body).filter((violation) => !excused.has(kind(violation))),
    ...(content === undefined ? [] : unknownFields(answer, content.schema, operation.document, "")),
  ].map(({ part, at, message }) => ({ part, at, message }));
}

function schemaViolations({ resource }, statusCode, body) {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const found = told(validateOutput({ resource, element: { statusCode, headers, body } }), "answer");
  return found.map((violation) => ({ ...violation, value: valueAt(body, violation.at) }));
}

const examples = (content) => Object.values(content?.examples ?? {}).map(({ value }) => value);

/**
 * What the documents' own examples do, is allowed: the schemas call relative addresses `uri`, and forget that some values
 * are null. The same complaint, at the same place in any item of a list, about the same type of value.
 */
function kind({ at, message, value }) {
  const anywhere = (text) => text.replace(/\.\d+(?=\.|\s|$)/g, ".*");
  return `${anywhere(at)} ${anywhere(message)} ${value === null ? "null" : typeof value}`;
}

function valueAt(body, at) {
  const [, ...path] = at.split(".");
  return path.reduce((value, key) => value?.[key], body);
}

/** The documents define no errors; this is what Twilio's look like. */
function errorViolations(status, answer) {
  const kinds = { code: "number", message: "string", more_info: "string", status: "number" };
  const wrong = Object.entries(kinds)
    .filter(([name, kind]) => typeof answer?.[name] !== kind)
    .map(([name, kind]) => ({ part: "answer", at: name, message: `an error has a ${kind} here` }));
  const differs = answer?.status !== undefined && answer.status !== status;
  return differs ? [...wrong, { part: "answer", at: "status", message: `must be ${status}` }] : wrong;
}

/** What Prism's validators return is an Either: on the left, a list of diagnostics (or a single one). */
function told(result, part) {
  const diagnostics = result._tag === "Left" ? [result.left].flat() : [];
  return diagnostics
    .filter(({ severity }) => severity === undefined || severity === 0)
    .map(({ path = [], message, code }) => ({ part, at: path.join("."), message: message ?? `${code}` }));
}

function unknown(where, pairs, names) {
  return pairs
    .filter(([name]) => !names.has(name))
    .map(([name]) => ({ part: "request", at: `${where}.${name}`, message: "Twilio knows no such parameter" }));
}

function knownQuery({ schema, document }) {
  const parameters = (schema.parameters ?? []).map((parameter) => resolve(parameter, document));
  return new Set(parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name));
}

function knownForm({ schema, document }) {
  const form = resolve(schema.requestBody?.content?.[FORM]?.schema, document);
  return new Set(Object.keys(form.properties ?? {}));
}

/** Fields of an answer that the schema does not name: a stand-in that invents one would have the gateway rely on it. */
function unknownFields(value, reference, document, at) {
  const schema = resolve(reference, document);
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => unknownFields(item, schema.items, document, `${at}${index}.`));
  }
  if (value === null || typeof value !== "object" || schema.properties === undefined) {
    return [];
  }
  return Object.entries(value).flatMap(([name, field]) =>
    name in schema.properties
      ? unknownFields(field, schema.properties[name], document, `${at}${name}.`)
      : [{ part: "answer", at: `${at}${name}`, message: "Twilio's answer has no such field" }],
  );
}

/** A name that occurs more than once has a list of values. */
function grouped(pairs) {
  const values = {};
  for (const [name, value] of pairs) {
    values[name] = name in values ? [values[name], value].flat() : value;
  }
  return values;
}
