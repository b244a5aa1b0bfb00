// The drawing: a card for every node, a line to its parent, moved by dragging and zoomed by the wheel.
// @ts-check
import { layout } from "./tree-layout.js";
import { visible, who } from "./tree-words.js";
/** @typedef {import("./tree-model.js").Tree} Tree */
/** @typedef {import("./tree-model.js").Node} Node */
/** @typedef {import("./tree-layout.js").Place} Place */

const WIDE = 224;
const HIGH = 112;
const STEP = { x: WIDE + 24, y: HIGH + 52 };
const SMALLEST = 0.08;
/** Characters of a text that a card shows. */
const SHOWN = 160;
const SVG = "http://www.w3.org/2000/svg";
const STATES = /** @type {Record<string, string>} */ ({ streaming: "writing", cancelled: "stopped", error: "failed" });

export class Canvas {
  /** @param {Tree} tree @param {(id: string) => void} chosen */
  constructor(tree, chosen) {
    this.tree = tree;
    this.frame = /** @type {HTMLElement} */ (document.getElementById("canvas"));
    this.world = /** @type {HTMLElement} */ (document.getElementById("world"));
    this.list = /** @type {HTMLElement} */ (document.getElementById("nodes"));
    this.edges = /** @type {Element} */ (document.getElementById("edges"));
    /** @type {Map<string, HTMLElement>} */
    this.cards = new Map();
    /** @type {Map<string, SVGPathElement>} */
    this.lines = new Map();
    /** @type {Map<string, Place>} */
    this.places = new Map();
    /** @type {Set<string>} */
    this.folded = new Set();
    this.chosen = "";
    this.view = { x: 40, y: 40, zoom: 1 };
    this.list.addEventListener("click", (event) => {
      const card = /** @type {HTMLElement} */ (event.target).closest("[role=treeitem]");
      if (card instanceof HTMLElement) chosen(card.dataset.node ?? "");
    });
    this.listen();
  }

  /** Draw the tree as it stands; of nodes that were there before only those that changed. @param {Set<string>} changed */
  draw(changed) {
    this.places = layout(this.tree, this.folded);
    const lineage = new Set(this.tree.lineage(this.chosen));
    for (const [id, card] of this.cards) {
      if (this.places.has(id)) continue;
      card.remove();
      this.cards.delete(id);
    }
    for (const [id, line] of this.lines) {
      if (this.places.has(id) && this.tree.node(id).parent !== null) continue;
      line.remove();
      this.lines.delete(id);
    }
    // Read in the order of the conversation: a branch after the turn that it answers.
    let after = /** @type {Element | null} */ (null);
    for (const id of this.depthFirst()) {
      let card = this.cards.get(id);
      if (!card) {
        card = document.createElement("div");
        card.setAttribute("role", "treeitem");
        card.dataset.node = id;
        this.cards.set(id, card);
        changed.add(id);
      }
      if (changed.has(id)) this.fill(card, this.tree.node(id));
      this.mark(card, id, lineage);
      const next = after ? after.nextElementSibling : this.list.firstElementChild;
      // Moving an element takes the focus from it: one that is in its place is left there.
      if (next !== card) this.list.insertBefore(card, next);
      after = card;
    }
  }

  *depthFirst() {
    const waiting = [...this.tree.children(null)].reverse();
    while (waiting.length) {
      const id = /** @type {string} */ (waiting.pop());
      yield id;
      if (!this.folded.has(id)) waiting.push(...[...this.tree.children(id)].reverse());
    }
  }

  /** @param {HTMLElement} card @param {Node} node */
  fill(card, node) {
    const head = part("head", who(node));
    if (node.alike > 1 || node.share) head.append(part("share", `${node.alike > 1 ? `×${node.alike}, ` : ""}${Math.round(100 * node.share)} %`));
    if (STATES[node.status]) head.append(part(`state ${node.status}`, STATES[node.status]));
    if (node.finish === "length") head.append(part("state", "cut off"));
    const label = node.name ? [part("label", visible(node.name))] : [];
    const words = beginning(node.problem || node.text);
    const text = part("words", words || (node.status === "streaming" ? "…" : "(empty)"));
    card.replaceChildren(head, ...label, text);
    card.className = `node ${node.role} ${node.origin} ${node.status}${node.edited ? " edited" : ""}`;
  }

  /** @param {HTMLElement} card @param {string} id @param {Set<string>} lineage */
  mark(card, id, lineage) {
    const place = /** @type {Place} */ (this.places.get(id));
    const siblings = this.tree.siblings(id);
    const below = this.tree.children(id).length;
    card.style.transform = `translate(${place.x * STEP.x}px, ${place.y * STEP.y}px)`;
    card.classList.toggle("lineage", lineage.has(id));
    card.tabIndex = id === this.chosen ? 0 : -1;
    card.setAttribute("aria-selected", String(id === this.chosen));
    card.setAttribute("aria-level", String(place.y + 1));
    card.setAttribute("aria-posinset", String(siblings.indexOf(id) + 1));
    card.setAttribute("aria-setsize", String(siblings.length));
    if (below) card.setAttribute("aria-expanded", String(!this.folded.has(id)));
    else card.removeAttribute("aria-expanded");
    card.querySelector(".folded")?.remove();
    if (this.folded.has(id)) card.append(part("folded", `+ ${this.tree.branch(id).length - 1} below`));
    this.connect(id, place, lineage);
  }

  /** @param {string} id @param {Place} place @param {Set<string>} lineage */
  connect(id, place, lineage) {
    const parent = this.tree.node(id).parent;
    const above = parent === null ? undefined : this.places.get(parent);
    if (!above) return;
    let line = this.lines.get(id);
    if (!line) {
      line = /** @type {SVGPathElement} */ (document.createElementNS(SVG, "path"));
      this.edges.append(line);
      this.lines.set(id, line);
    }
    const [x, y] = [above.x * STEP.x + WIDE / 2, above.y * STEP.y + HIGH];
    const [toX, toY] = [place.x * STEP.x + WIDE / 2, place.y * STEP.y];
    const middle = (y + toY) / 2;
    line.setAttribute("d", `M${x} ${y}C${x} ${middle} ${toX} ${middle} ${toX} ${toY}`);
    line.classList.toggle("lineage", lineage.has(id));
    // What is drawn last lies on top.
    if (lineage.has(id) && line !== this.edges.lastElementChild) this.edges.append(line);
  }

  /** Choose a node; with `focus` the keyboard goes there. @param {string} id */
  choose(id, focus = false) {
    this.chosen = id;
    for (const above of this.tree.lineage(id).slice(0, -1)) this.folded.delete(above);
    this.draw(new Set());
    if (focus) this.cards.get(id)?.focus({ preventScroll: true });
    this.bringIntoView(id);
  }

  /** @param {string} id */
  fold(id) {
    if (!this.folded.delete(id) && this.tree.children(id).length) this.folded.add(id);
    this.draw(new Set());
  }

  get hasFocus() {
    return this.list.contains(document.activeElement);
  }

  // --- moving and zooming ---

  apply() {
    const { x, y, zoom } = this.view;
    this.world.style.transform = `translate(${x}px, ${y}px) scale(${zoom})`;
  }

  /** @param {number} factor @param {number} [x] of the point that stays where it is @param {number} [y] */
  zoom(factor, x = this.frame.clientWidth / 2, y = this.frame.clientHeight / 2) {
    const zoom = Math.min(2, Math.max(SMALLEST, this.view.zoom * factor));
    const by = zoom / this.view.zoom;
    this.view = { x: x - (x - this.view.x) * by, y: y - (y - this.view.y) * by, zoom };
    this.apply();
  }

  /** All of the tree at once, no larger than life. @param {number} [least] a zoom that is not gone below */
  fit(least = SMALLEST) {
    const places = [...this.places.values()];
    if (!places.length) return;
    const [left, right] = [Math.min(...places.map((place) => place.x)) * STEP.x, Math.max(...places.map((place) => place.x)) * STEP.x + WIDE];
    const bottom = Math.max(...places.map((place) => place.y)) * STEP.y + HIGH;
    const { clientWidth: wide, clientHeight: high } = this.frame;
    const zoom = Math.max(least, Math.min(1, (wide - 40) / (right - left), (high - 72) / bottom));
    this.view = { x: (wide - (left + right) * zoom) / 2, y: Math.max(20, Math.min(48, (high - bottom * zoom) / 2)), zoom };
    this.apply();
  }

  /** @param {string} id */
  bringIntoView(id) {
    const place = this.places.get(id);
    if (!place) return;
    const { x, y, zoom } = this.view;
    const [left, top] = [x + place.x * STEP.x * zoom, y + place.y * STEP.y * zoom];
    const space = { x: this.frame.clientWidth - WIDE * zoom - 16, y: this.frame.clientHeight - HIGH * zoom - 48 };
    this.view.x += Math.max(16, Math.min(space.x, left)) - left;
    this.view.y += Math.max(16, Math.min(space.y, top)) - top;
    this.apply();
  }

  listen() {
    /** @type {null | {id: number, x: number, y: number, far: boolean}} */
    let drag = null;
    this.frame.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && !(/** @type {HTMLElement} */ (event.target).closest("button"))) drag = { id: event.pointerId, x: event.clientX, y: event.clientY, far: false };
    });
    this.frame.addEventListener("pointermove", (event) => {
      if (drag?.id !== event.pointerId) return;
      const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
      // A hand that clicks trembles.
      if (!drag.far && Math.hypot(x, y) < 5) return;
      if (!drag.far) this.frame.setPointerCapture(event.pointerId);
      drag = { id: drag.id, x: event.clientX, y: event.clientY, far: true };
      this.view.x += x;
      this.view.y += y;
      this.apply();
    });
    for (const kind of ["pointerup", "pointercancel"]) this.frame.addEventListener(kind, () => (drag = null));
    this.frame.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const box = this.frame.getBoundingClientRect();
        this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.clientX - box.left, event.clientY - box.top);
      },
      { passive: false },
    );
    // Focus scrolls a frame that only we are to move.
    this.frame.addEventListener("scroll", () => this.frame.scrollTo(0, 0));
  }
}

/** @param {string} text */
function beginning(text) {
  const words = visible(text.slice(0, SHOWN)).trim();
  return text.length > SHOWN ? `${words}…` : words;
}

/** @param {string} kind @param {string} text */
function part(kind, text) {
  const element = document.createElement("span");
  element.className = kind;
  element.textContent = text;
  return element;
}
