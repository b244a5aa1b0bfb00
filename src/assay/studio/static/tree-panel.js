// The panel beside the tree: the chosen node in full, what its siblings agree on, and what it cost.
// @ts-check
import { Strip, Words, heatInWords, number, untinted, visible, who } from "./tree-words.js";
/** @typedef {import("./tree-model.js").Tree} Tree */
/** @typedef {import("./tree-model.js").Node} Node */

const at = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** Different answers that are listed: nobody reads two thousand. */
const MOST_LISTED = 100;
const ENDINGS = /** @type {Record<string, string>} */ ({ streaming: "being written", cancelled: "stopped before its end", error: "failed" });

export class Panel {
  /** @param {Tree} tree @param {number[]} bounds @param {(id: string) => void} chosen */
  constructor(tree, bounds, chosen) {
    this.tree = tree;
    this.chosen = chosen;
    this.heat = false;
    this.words = new Words(at("text"), at("reading"));
    this.first = new Words(at("first-text"));
    this.strip = new Strip(at("strip"), at("token"), bounds);
    this.shown = "";
  }

  /** @param {string} id */
  show(id) {
    const node = this.tree.nodes.get(id);
    at("panel").dataset.node = node ? id : "";
    for (const part of ["reading", "legend", "first", "answers"]) at(part).hidden = !node;
    at("who").textContent = node ? `Node ${id}: ${who(node)}` : "No node is chosen";
    at("facts").textContent = node ? facts(node) : "";
    this.cost(node);
    if (!node) return this.words.show("", "");
    if (this.shown !== id) at("reading").scrollTop = 0;
    this.shown = id;
    const tinted = this.heat && !untinted(node);
    at("text").hidden = tinted;
    at("strip").hidden = at("legend").hidden = !tinted;
    if (tinted) this.strip.show(node);
    else this.words.show(id, node.text);
    at("heat-in-words").textContent = tinted ? heatInWords(node) : "";
    at("first").hidden = !node.edited;
    this.first.show(id, node.edited?.text ?? "");
    this.answers(node);
  }

  /** What the replies below say, equal ones counted. @param {Node} node */
  answers(node) {
    /** @type {Map<string, Node>} */
    const groups = new Map();
    for (const id of this.tree.children(node.id)) {
      const reply = this.tree.node(id);
      if (reply.as && !groups.has(reply.as)) groups.set(reply.as, reply);
    }
    const found = [...groups.values()].sort((a, b) => b.alike - a.alike);
    at("answers").hidden = !found.length;
    if (!found.length) return;
    const drawn = found.reduce((sum, reply) => sum + reply.alike, 0);
    at("agreement").textContent = `${number(found.length)} different among ${number(drawn)}; disagreement ${number(1 - found[0].share, 2)}.${found.length > MOST_LISTED ? ` The commonest ${MOST_LISTED}:` : ""}`;
    const open = at("clusters").contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.node : undefined;
    at("clusters").replaceChildren(
      ...found.slice(0, MOST_LISTED).map((reply) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.className = "cluster";
        button.dataset.node = reply.as;
        button.textContent = `×${reply.alike}, ${Math.round(100 * reply.share)} %: ${visible(reply.label)}`;
        button.addEventListener("click", () => this.chosen(reply.as));
        const bar = document.createElement("meter");
        bar.value = reply.share;
        bar.setAttribute("aria-hidden", "true");
        item.append(button, bar);
        return item;
      }),
    );
    if (open) /** @type {HTMLElement | null} */ (at("clusters").querySelector(`[data-node="${open}"]`))?.focus();
  }

  /** @param {Node | undefined} node */
  cost(node) {
    const { spent, prompts } = this.tree.head;
    const lines = [["This tree", `${number(spent.tokens_out)} tokens written in ${number(spent.replies)} replies; prompts of ${number(spent.tokens_in)}, of which ${number(spent.evaluated)} were evaluated`]];
    if (node) {
      const path = this.tree.lineage(node.id).map((id) => this.tree.node(id));
      const prompt = [...path].reverse().find((turn) => turn.tokens_in)?.tokens_in ?? 0;
      const written = path.reduce((sum, turn) => sum + turn.tokens_out, 0);
      lines.push(["This lineage", `${path.length} ${path.length === 1 ? "turn" : "turns"}${prompt ? `, a prompt of ${number(prompt)} tokens` : ""}; ${number(written)} written on the way`]);
      const below = prompts.find((row) => row.node === node.id);
      if (below) lines.push(["Replies below", `${below.replies} share a prompt of ${number(below.prompt)} tokens; ${number(below.evaluated)} were evaluated, ${below.times} times its length`]);
    }
    at("cost").replaceChildren(...lines.flatMap(([name, text]) => [element("dt", name), element("dd", text)]));
  }
}

/** @param {string} tag @param {string} text */
function element(tag, text) {
  const found = document.createElement(tag);
  found.textContent = text;
  return found;
}

/** @param {Node} node */
function facts(node) {
  const said = [];
  if (node.model) said.push(visible(node.model));
  if (node.settings) said.push(`temperature ${node.settings.temperature}`, `seed ${node.settings.seed} + ${node.index}`);
  if (node.tokens_out) said.push(`${number(node.tokens_out)} tokens`);
  if (node.finish === "length") said.push("cut off at the most tokens");
  if (node.finish === "refused") said.push("refused");
  if (ENDINGS[node.status]) said.push(ENDINGS[node.status]);
  return said.join(", ") + (node.problem ? `: ${visible(node.problem)}` : "");
}
