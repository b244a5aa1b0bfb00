// The keys, as flux has them, and the list of them.
// @ts-check

const IS_MAC = /Mac|iPhone|iPad/.test(navigator.userAgent);

/**
 * What a key does. `where`: "tree" only while the tree has the keyboard, "page" also while somebody writes,
 * "rest" everywhere but in a field, which has that key for itself.
 * @type {{keys: string[], command: string, says: string, where: "tree" | "page" | "rest"}[]}
 */
export const KEYS = [
  { keys: ["Mod+Enter"], command: "generate", says: "replies below the node", where: "page" },
  { keys: ["Mod+Shift+Enter"], command: "regenerate", says: "its replies drawn anew", where: "page" },
  { keys: ["Mod+k"], command: "continue", says: "the next words of the node itself", where: "page" },
  { keys: ["Escape"], command: "stop", says: "stop what is being written; in a box: leave it", where: "tree" },
  { keys: ["Mod+p"], command: "user", says: "a user's turn below", where: "page" },
  { keys: ["Mod+u"], command: "system", says: "a system's turn below", where: "page" },
  { keys: ["Mod+Shift+p"], command: "plant", says: "another tree beside this one", where: "page" },
  { keys: ["ArrowUp", "Mod+ArrowUp"], command: "up", says: "to the parent", where: "rest" },
  { keys: ["ArrowDown", "Mod+ArrowDown"], command: "down", says: "to the first child, or where you came from", where: "rest" },
  { keys: ["ArrowLeft", "Mod+ArrowLeft"], command: "left", says: "to the sibling before", where: "rest" },
  { keys: ["ArrowRight", "Mod+ArrowRight"], command: "right", says: "to the sibling after", where: "rest" },
  { keys: ["Enter"], command: "edit", says: "write in the node", where: "tree" },
  { keys: ["Mod+e"], command: "rename", says: "another label", where: "page" },
  { keys: ["m"], command: "move", says: "hang it elsewhere", where: "tree" },
  { keys: ["Mod+Backspace"], command: "delete", says: "delete", where: "rest" },
  { keys: [" "], command: "fold", says: "fold and unfold what is below", where: "tree" },
  { keys: ["Mod+z"], command: "undo", says: "undo, 256 changes back", where: "rest" },
  { keys: ["Mod+Shift+z"], command: "redo", says: "redo", where: "rest" },
  { keys: ["Mod+Shift+c"], command: "copy", says: "copy the conversation up to here", where: "page" },
  { keys: ["h"], command: "heat", says: "tint tokens by log-probability", where: "tree" },
  { keys: ["Mod+.", "."], command: "fit", says: "all of the tree at once", where: "rest" },
  { keys: ["+", "="], command: "closer", says: "zoom in", where: "tree" },
  { keys: ["-"], command: "farther", says: "zoom out", where: "tree" },
  { keys: ["Mod+/"], command: "settings", says: "settings of further replies", where: "page" },
  { keys: ["Mod+s"], command: "save", says: "every change is kept as it is made; this says so", where: "page" },
  { keys: ["?"], command: "keys", says: "this list", where: "rest" },
];

/** The key of an event as it is written above. @param {KeyboardEvent} event */
export function pressed(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const named = event.ctrlKey || event.metaKey;
  // With Shift a mark is another mark: it is not said twice.
  const shift = event.shiftKey && (key.length > 1 || /[a-z]/.test(key));
  return `${named ? "Mod+" : ""}${shift ? "Shift+" : ""}${key}`;
}

/** The command of a key where the keyboard is now; undefined for none. @param {KeyboardEvent} event @param {boolean} inTree */
export function commandOf(event, inTree) {
  if (event.altKey || event.isComposing) return undefined;
  const key = pressed(event);
  const target = /** @type {HTMLElement} */ (event.target);
  const writes = target.matches("input, textarea, select");
  const idle = inTree || target === document.body;
  const found = KEYS.find((one) => one.keys.includes(key));
  if (!found) return undefined;
  if (found.where === "tree" || !key.startsWith("Mod+")) return idle ? found.command : undefined;
  return found.where === "rest" && writes ? undefined : found.command;
}

const SHOWN = /** @type {Record<string, string>} */ ({ ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", " ": "Space", Enter: "Return" });

/** @param {string} key */
export function shown(key) {
  const parts = key === "+" ? ["+"] : key.split("+");
  return parts.map((part) => (part === "Mod" ? (IS_MAC ? "⌘" : "Ctrl") : (SHOWN[part] ?? (part.length === 1 ? part.toUpperCase() : part)))).join(IS_MAC ? " " : "+");
}

/** Write the list of keys, and say on every button which key it has. @param {HTMLElement} list */
export function sayKeys(list) {
  for (const { keys, command, says } of KEYS) {
    const term = document.createElement("dt");
    keys.forEach((key, i) => {
      const cap = document.createElement("kbd");
      cap.textContent = shown(key);
      term.append(...(i ? [" or ", cap] : [cap]));
    });
    const meaning = document.createElement("dd");
    meaning.textContent = says;
    list.append(term, meaning);
    for (const button of document.querySelectorAll(`button[data-do="${command}"]`)) {
      button.setAttribute("aria-keyshortcuts", keys.map((key) => (key === " " ? "Space" : key === "+" ? "Plus" : key).replace("Mod", IS_MAC ? "Meta" : "Control")).join(" "));
      /** @type {HTMLElement} */ (button).title = `${shown(keys[0])}: ${says}`;
    }
  }
}
