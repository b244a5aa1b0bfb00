// The explorer: what keys and buttons do to a tree.
// @ts-check
import { Canvas } from "./tree-canvas.js";
import { Editor } from "./tree-edit.js";
import { commandOf, sayKeys } from "./tree-keys.js";
import { Tree } from "./tree-model.js";
import { Panel } from "./tree-panel.js";
import { Refused, Server } from "./tree-server.js";
import { number, untinted, visible } from "./tree-words.js";

const at = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const facts = at("tree").dataset;
const name = facts.tree ?? "";
const tree = new Tree();
const server = new Server(name, told, (sentence) => wrong(sentence));
const canvas = new Canvas(tree, (id) => void choose(id, true));
const panel = new Panel(tree, JSON.parse(facts.bounds ?? "[]"), (id) => void choose(id, true));
const editor = new Editor(tree, server, failed);
const settings = /** @type {HTMLFormElement} */ (at("settings").querySelector("form"));
const label = /** @type {HTMLInputElement} */ (at("label"));
let chosen = "";
/** Of every node: the child that was looked at last. @type {Map<string | null, string>} */
const lastBelow = new Map();
/** A node that was asked for and is to be chosen when it is there. */
let awaited = "";
/** The zoom a page begins with at least, however large the tree. */
const READABLE = 0.5;
let writing = 0;
let begun = false;

// --- what the server tells -------------------------------------------------------------------------------

/** @param {import("./tree-model.js").News} news */
function told(news) {
  const changed = tree.take(news);
  editor.follow();
  if (!tree.nodes.has(chosen)) chosen = usual();
  canvas.chosen = chosen;
  canvas.draw(changed);
  panel.show(chosen);
  buttons();
  if (!begun) begin();
  if (awaited && tree.nodes.has(awaited)) void arrive();
  if (writing && !tree.writing) say("The replies are there.");
  writing = tree.writing;
}

/** Where somebody begins: the node in the address, or down the first branch. */
function usual() {
  const wanted = location.hash.slice(2);
  if (!begun && tree.nodes.has(wanted)) return wanted;
  let id = tree.children(null)[0] ?? "";
  while (id && tree.children(id).length) id = tree.children(id)[0];
  return id;
}

function begin() {
  begun = true;
  canvas.fit(READABLE);
  if (chosen) canvas.choose(chosen, !location.hash);
  const node = tree.nodes.get(chosen);
  if (node && node.role !== "assistant" && !node.text) editor.begin(chosen);
}

async function arrive() {
  const id = awaited;
  awaited = "";
  if (await choose(id)) editor.begin(id);
}

function buttons() {
  const { version, undo, redo, spent } = tree.head;
  at("bill").textContent = `${number(tree.nodes.size)} ${tree.nodes.size === 1 ? "node" : "nodes"}, ${number(spent.tokens_out)} tokens written`;
  at("bill").dataset.version = String(version);
  const none = !tree.nodes.has(chosen);
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("#tools button"))) {
    const command = button.dataset.do ?? "";
    if (["generate", "regenerate", "continue", "edit", "rename", "move", "delete", "copy"].includes(command)) button.disabled = none;
    if (command === "stop") button.disabled = !tree.writing;
    const what = { undo, redo }[command];
    if (what === undefined) continue;
    button.disabled = !what;
    button.title = what && `${button.textContent} ${what}`;
    button.setAttribute("aria-label", button.title || (button.textContent ?? ""));
  }
}

// --- saying ----------------------------------------------------------------------------------------------

/** @param {string} sentence */
function say(sentence) {
  at("said").textContent = sentence;
}

/** @param {string} sentence */
function wrong(sentence) {
  at("wrong").textContent = visible(sentence);
  at("wrong").hidden = !sentence;
}

/** Say why something was refused; where the tree is another by now, it is loaded again. @param {unknown} error */
async function failed(error, more = "") {
  if (!(error instanceof Refused)) throw error;
  say("");
  wrong(error.message + more);
  if (error.status === 409 || error.status === 404) await server.reload();
}

/** @param {Record<string, unknown> & {op: string}} asked */
async function ask(asked) {
  wrong("");
  try {
    return await server.ask(asked);
  } catch (error) {
    await failed(error);
    return null;
  }
}

// --- choosing --------------------------------------------------------------------------------------------

/** Go to a node; what was being written elsewhere is kept first. @param {string | undefined} id */
async function choose(id, focus = false) {
  if (!id || !tree.nodes.has(id)) return false;
  if (editor.open && editor.id !== id && !(await editor.end())) return false;
  chosen = id;
  lastBelow.set(tree.node(id).parent, id);
  at("rename").hidden = true;
  history.replaceState(null, "", `#n${id}`);
  canvas.choose(id, focus);
  panel.show(id);
  buttons();
  return true;
}

/** @param {number} step */
function beside(step) {
  const siblings = tree.siblings(chosen);
  return choose(siblings[siblings.indexOf(chosen) + step], true);
}

function below() {
  const children = tree.children(chosen);
  const last = lastBelow.get(chosen) ?? "";
  return choose(children.includes(last) ? last : children[0], true);
}

// --- doing -----------------------------------------------------------------------------------------------

/** How further replies are drawn; null, and the first wrong field is shown, where that cannot be. */
function drawn() {
  if (!settings.checkValidity()) {
    /** @type {HTMLDetailsElement} */ (at("settings")).open = true;
    settings.reportValidity();
    return null;
  }
  const field = (/** @type {string} */ key) => /** @type {HTMLInputElement} */ (settings.elements.namedItem(key)).value;
  const numbers = Object.fromEntries(["n", "temperature", "max_tokens", "seed"].map((key) => [key, Number(field(key))]));
  return { model: field("model"), settings: numbers };
}

/** @param {"generate" | "regenerate" | "continue"} op */
async function grow(op) {
  const how = drawn();
  if (!chosen || !how || (editor.open && !(await editor.end()))) return;
  if (!canvas.hasFocus) canvas.choose(chosen, true);
  say(op === "continue" ? "The next words are being asked for." : `${how.settings.n} replies are being asked for.`);
  await ask({ op, node: chosen, ...how });
}

/** @param {string} role @param {string | null} parent */
async function add(role, parent) {
  if (editor.open && !(await editor.end())) return;
  const answer = await ask({ op: "add", role, parent });
  if (!answer) return;
  awaited = answer.node;
  if (tree.nodes.has(awaited)) await arrive();
}

/** @param {HTMLDialogElement} dialog @returns {Promise<string>} what was chosen in it; empty for nothing */
function answered(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((go) => dialog.addEventListener("close", () => go(dialog.returnValue), { once: true }));
}

async function remove() {
  const node = chosen;
  const branch = tree.branch(node).length - 1;
  let which = "all";
  if (branch) {
    at("deleting-what").textContent = `Below node ${node} ${branch === 1 ? "is 1 node" : `are ${branch} nodes`}. Without it, what hangs on it directly hangs where it stood. Either can be undone.`;
    which = await answered(/** @type {HTMLDialogElement} */ (at("deleting")));
  }
  const siblings = tree.siblings(node);
  const next = tree.node(node).parent ?? siblings.find((id) => id !== node);
  if (!which || (editor.open && !(await editor.end())) || !(await ask({ op: "delete", node, keep_children: which === "one" }))) return;
  await choose(next, true);
}

async function move() {
  const node = chosen;
  const branch = new Set(tree.branch(node));
  const list = /** @type {HTMLSelectElement} */ (at("parents"));
  const others = [...tree.nodes.keys()].filter((id) => !branch.has(id)).sort((a, b) => Number(a) - Number(b));
  list.replaceChildren(new Option("nothing: a tree of its own", ""), ...others.map((id) => new Option(`${id}: ${visible(tree.node(id).label)}`, id)));
  list.value = tree.node(node).parent ?? "";
  if (await answered(/** @type {HTMLDialogElement} */ (at("moving")))) await ask({ op: "rewire", node, parent: list.value || null });
  canvas.choose(chosen, true);
}

async function copy() {
  if (editor.open && !(await editor.save())) return;
  try {
    await navigator.clipboard.writeText(await server.lineage(chosen));
    say(`The conversation down to node ${chosen} is copied.`);
  } catch (error) {
    if (error instanceof Refused) await failed(error);
    else wrong("The browser does not let this page copy.");
  }
}

/** @param {"undo" | "redo"} op */
async function swap(op) {
  if (editor.open && !(await editor.end())) return;
  const what = tree.head[op];
  if (await ask({ op })) say(`${op === "undo" ? "Undone" : "Done again"}: ${what}.`);
}

/** @type {Record<string, () => unknown>} */
const commands = {
  generate: () => grow("generate"),
  regenerate: () => grow("regenerate"),
  continue: () => grow("continue"),
  stop: () => (tree.writing ? ask({ op: "cancel", node: tree.nodes.get(chosen)?.status === "streaming" ? chosen : null }) : undefined),
  user: () => add("user", chosen || null),
  system: () => add("system", chosen || null),
  tool: () => add("tool", chosen || null),
  plant: () => add("user", null),
  up: () => choose(tree.nodes.get(chosen)?.parent ?? undefined, true),
  down: below,
  left: () => beside(-1),
  right: () => beside(1),
  edit: () => editor.begin(chosen),
  rename: () => {
    at("rename").hidden = false;
    label.value = tree.node(chosen).name;
    label.select();
    label.focus();
  },
  move,
  delete: () => chosen && remove(),
  fold: () => canvas.fold(chosen),
  undo: () => swap("undo"),
  redo: () => swap("redo"),
  copy: () => chosen && copy(),
  heat: () => {
    panel.heat = !panel.heat;
    document.querySelector('[data-do="heat"]')?.setAttribute("aria-pressed", String(panel.heat));
    panel.show(chosen);
    const node = tree.nodes.get(chosen);
    say(panel.heat && node ? untinted(node) : "");
  },
  fit: () => canvas.fit(),
  closer: () => canvas.zoom(1.25),
  farther: () => canvas.zoom(0.8),
  settings: () => {
    /** @type {HTMLDetailsElement} */ (at("settings")).open = true;
    /** @type {HTMLInputElement} */ (settings.elements.namedItem("n")).focus();
  },
  save: async () => (!editor.open || (await editor.save())) && say("Everything is saved: each change is kept as it is made."),
  keys: () => /** @type {HTMLDialogElement} */ (at("keys")).showModal(),
};

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  const command = commandOf(event, canvas.hasFocus);
  if (!command) return;
  event.preventDefault();
  // A key that is held down asks for one thing, not for thirty a second.
  if (event.repeat && !["up", "down", "left", "right", "closer", "farther"].includes(command)) return;
  void commands[command]();
});
document.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("button[data-do]");
  if (button instanceof HTMLElement) void commands[button.dataset.do ?? ""]?.();
});

// --- writing, renaming, settings -------------------------------------------------------------------------

async function leave() {
  if (await editor.end()) canvas.choose(chosen, true);
}
at("leave").addEventListener("click", () => void leave());
at("edit").addEventListener("keydown", (event) => event.key === "Escape" && void leave());
at("rename").addEventListener("submit", async (event) => {
  event.preventDefault();
  at("rename").hidden = true;
  canvas.choose(chosen, true);
  await ask({ op: "rename", node: chosen, name: label.value.trim() });
});
at("rename").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  at("rename").hidden = true;
  canvas.choose(chosen, true);
});

const KEPT = "assay-tree-settings";
for (const [key, value] of Object.entries(JSON.parse(localStorage.getItem(KEPT) ?? "{}"))) {
  const field = settings.elements.namedItem(key);
  if (field instanceof HTMLInputElement) field.value = String(value);
}
settings.addEventListener("change", () => localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(new FormData(settings)))));
settings.addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("resize", () => canvas.bringIntoView(chosen));

sayKeys(at("key-list"));
server.connect();
