// Where nodes stand: children below their parent, branches as close as they fit, in units of one place.
// @ts-check
/** @typedef {import("./tree-model.js").Tree} Tree */
/** @typedef {{x: number, y: number}} Place */

/**
 * The outline of a branch, by depth: how far it reaches to either side of its topmost node.
 * @typedef {{left: number[], right: number[]}} Outline
 */

/**
 * @param {Tree} tree
 * @param {Set<string>} folded nodes whose branches are not shown
 * @returns {Map<string, Place>} of every node that is shown
 */
export function layout(tree, folded) {
  /** @type {Map<string, number>} */
  const aside = new Map();
  /** @type {Map<string, Outline>} */
  const outlines = new Map();
  const shown = (/** @type {string | null} */ id) => (id !== null && folded.has(id) ? [] : tree.children(id));

  const order = [...shown(null)];
  for (let i = 0; i < order.length; i++) order.push(...shown(order[i]));
  // From the lowest up: a loop, for a tree may be deeper than the stack.
  for (const id of order.reverse()) {
    const merged = beside(shown(id), outlines, aside);
    outlines.set(id, { left: [0, ...merged.left], right: [0, ...merged.right] });
    for (const child of shown(id)) outlines.delete(child);
  }
  beside(shown(null), outlines, aside);

  /** @type {Map<string, Place>} */
  const places = new Map();
  for (const id of order.reverse()) {
    const parent = tree.node(id).parent;
    const above = parent === null ? { x: 0, y: -1 } : /** @type {Place} */ (places.get(parent));
    places.set(id, { x: above.x + (aside.get(id) ?? 0), y: above.y + 1 });
  }
  return places;
}

/**
 * Put branches side by side, their parent over the middle of the first and the last.
 * @param {string[]} children
 * @param {Map<string, Outline>} outlines
 * @param {Map<string, number>} aside how far each stands from its parent; filled here
 * @returns {Outline}
 */
function beside(children, outlines, aside) {
  /** @type {Outline} */
  const merged = { left: [], right: [] };
  /** @type {number[]} */
  const places = [];
  for (const child of children) {
    const { left, right } = /** @type {Outline} */ (outlines.get(child));
    let x = 0;
    for (let depth = 0; depth < Math.min(left.length, merged.right.length); depth++) x = Math.max(x, merged.right[depth] - left[depth] + 1);
    for (let depth = 0; depth < left.length; depth++) {
      if (depth >= merged.left.length) merged.left.push(left[depth] + x);
      merged.right[depth] = right[depth] + x;
    }
    places.push(x);
  }
  const middle = places.length ? (places[0] + places[places.length - 1]) / 2 : 0;
  children.forEach((child, i) => aside.set(child, places[i] - middle));
  return { left: merged.left.map((x) => x - middle), right: merged.right.map((x) => x - middle) };
}
