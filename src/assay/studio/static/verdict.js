// The page of a run with a verdict: its samples.
// @ts-check
import { fill, openTraces } from "./page.js";

const list = /** @type {HTMLElement} */ (document.getElementById("sample-list"));
openTraces(list);
await fill(list, list.dataset.src ?? "");
