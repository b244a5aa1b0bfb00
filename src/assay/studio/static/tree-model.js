// A tree as the server has told it, and questions about its shape.
// @ts-check

/**
 * @typedef {[string, number | null]} Token
 * @typedef {{id: string, parent: string | null, role: string, origin: string, name: string, label: string,
 *   text: string, tokens: Token[], status: string, finish: string, problem: string,
 *   edited: {text: string, origin: string} | null, model: string,
 *   settings: {temperature: number, max_tokens: number, n: number, seed: number} | null, index: number,
 *   tokens_in: number, tokens_out: number, evaluated: number, alike: number, share: number, as: string}} Node
 * @typedef {{node: string, replies: number, prompt: number, evaluated: number, times: string, written: number}} Prompt
 * @typedef {{version: number, undo: string, redo: string, prompts: Prompt[],
 *   spent: {replies: number, tokens_in: number, tokens_out: number, evaluated: number}}} Head
 * @typedef {{whole: boolean, nodes: any[], gone: string[], head?: Head}} News
 */

export class Tree {
  constructor() {
    /** @type {Map<string, Node>} */
    this.nodes = new Map();
    /** @type {Head} */
    this.head = { version: -1, undo: "", redo: "", prompts: [], spent: { replies: 0, tokens_in: 0, tokens_out: 0, evaluated: 0 } };
    /** @type {Map<string | null, string[]>} */
    this.below = new Map();
  }

  /**
   * Take in what the server tells; gives the ids of the nodes that have changed.
   * @param {News} news
   */
  take(news) {
    if (news.whole) this.nodes.clear();
    for (const id of news.gone) this.nodes.delete(id);
    for (const told of news.nodes) {
      const { more, more_tokens: tokens, ...node } = told;
      const before = this.nodes.get(node.id);
      // Words that only went on come without those that were there.
      if (more !== undefined && before) Object.assign(node, { text: before.text + more, tokens: tokens.length ? [...before.tokens, ...tokens] : before.tokens });
      this.nodes.set(node.id, node);
    }
    if (news.head) this.head = news.head;
    this.below.clear();
    const ids = [...this.nodes.keys()].sort((a, b) => Number(a) - Number(b));
    for (const id of ids) {
      const parent = this.node(id).parent;
      this.below.set(parent, [...(this.below.get(parent) ?? []), id]);
    }
    return new Set(news.nodes.map((node) => node.id));
  }

  /** @param {string} id @returns {Node} */
  node(id) {
    return /** @type {Node} */ (this.nodes.get(id));
  }

  /** @param {string | null} id */
  children(id) {
    return this.below.get(id) ?? [];
  }

  /** From the root down to the node. @param {string} id */
  lineage(id) {
    const path = [];
    for (let at = this.nodes.get(id); at; at = at.parent === null ? undefined : this.nodes.get(at.parent)) path.push(at.id);
    return path.reverse();
  }

  /** The node and all below it. @param {string} id */
  branch(id) {
    const found = [id];
    for (let i = 0; i < found.length; i++) found.push(...this.children(found[i]));
    return found;
  }

  /** @param {string} id */
  siblings(id) {
    return this.children(this.nodes.get(id)?.parent ?? null);
  }

  get writing() {
    return [...this.nodes.values()].filter((node) => node.status === "streaming").length;
  }
}
