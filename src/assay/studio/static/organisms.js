// Loss curves of organisms.
// @ts-check
import { axis, colour, plot } from "./plot.js";

/** @param {HTMLElement} place */
function draw(place) {
  const curve = JSON.parse(place.dataset.curve ?? "{}");
  const names = Object.keys(curve).filter((name) => name !== "tokens");
  if (!names.length) return;
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

// Drawn when it comes into view: there may be a hundred of them.
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    draw(/** @type {HTMLElement} */ (target));
  }
});
for (const place of document.querySelectorAll(".curve")) seen.observe(place);
