// Curves with uPlot, in the page's own colours, redrawn when the window or the colour scheme changes.
// @ts-check
import uPlot from "./uplot/uPlot.esm.js";

/** @param {string} name */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/**
 * @param {HTMLElement} place
 * @param {() => {options: any, data: any}} make
 * @returns {() => void} draws anew
 */
export function plot(place, make) {
  /** @type {any} */
  let drawn = null;
  let width = 0;
  const draw = () => {
    const { options, data } = make();
    width = Math.max(240, place.clientWidth);
    drawn?.destroy();
    drawn = new uPlot({ width, height: Math.round(Math.min(320, Math.max(180, width * 0.45))), ...options }, data, place);
  };
  draw();
  new ResizeObserver(() => {
    if (Math.abs(place.clientWidth - width) > 4) draw();
  }).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  return draw;
}

/** An axis in the page's colours. @param {object} more */
export const axis = (more = {}) => ({
  stroke: colour("quiet"),
  grid: { stroke: colour("line"), width: 1 },
  ticks: { stroke: colour("line"), width: 1 },
  font: "12px system-ui, sans-serif",
  ...more,
});
