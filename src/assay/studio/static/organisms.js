// Loss curves of organisms.
// @ts-check
import { axis, colour, plot } from "./plot.js";

for (const place of /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".curve")])) {
  const curve = JSON.parse(place.dataset.curve ?? "{}");
  const names = Object.keys(curve).filter((name) => name !== "tokens");
  if (!names.length) continue;
  const stroke = ["accent", "fails", "holds"];
  plot(place, () => ({
    options: {
      scales: { x: { time: false } },
      axes: [axis({ values: (/** @type {any} */ _, /** @type {number[]} */ ticks) => ticks.map((tick) => Intl.NumberFormat("en", { notation: "compact" }).format(tick)) }), axis()],
      series: [
        { label: "tokens" },
        ...names.map((name, i) => ({ label: name.replace("_", " "), stroke: colour(stroke[i % 3]), width: 1.5, points: { show: curve.tokens.length < 30 } })),
      ],
    },
    data: [curve.tokens, ...names.map((name) => curve[name])],
  }));
}
