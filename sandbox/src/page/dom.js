// Elements: made once and then only changed, so that the focus stays where it is and screen readers read what is new.

export const find = (selector, root = document) => root.querySelector(selector);

/** Makes an element: its class, its text or children. */
export function make(tag, name = "", content = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (Array.isArray(content)) element.append(...content);
  else element.textContent = content;
  return element;
}

/** Makes a button that does something. */
export function button(name, text, act) {
  const element = make("button", name, text);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}

/** Changes a text only if it differs: screen readers read a change. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Changes an attribute only if it differs. */
export function label(element, text) {
  if (element.getAttribute("aria-label") !== text) element.setAttribute("aria-label", text);
}

/**
 * Makes a list show rows: `fresh(row)` makes the element of a row whose `key(row)` is new, `change(element, row)` brings
 * each up to date, and those of rows that are gone go. Returns whether there was a new one.
 */
export function keep(list, rows, key, fresh, change = () => {}) {
  const known = (list.known ??= new Map());
  const wanted = new Set(rows.map(key));
  for (const [one, element] of known) {
    if (wanted.has(one)) continue;
    element.remove();
    known.delete(one);
  }
  let grown = false;
  rows.forEach((row, place) => {
    let element = known.get(key(row));
    if (!element) {
      element = fresh(row);
      known.set(key(row), element);
      grown = true;
    }
    change(element, row);
    if (list.children[place] !== element) list.insertBefore(element, list.children[place] ?? null);
  });
  return grown;
}
