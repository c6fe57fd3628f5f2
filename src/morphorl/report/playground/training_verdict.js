// What came of the page's training, in words, and how often fewer seeds would have pointed elsewhere.
import { html } from "../templates/elements.js";
import { interval, percent, short } from "../templates/numbers.js";
import { estimate, fewSeeds } from "./statistics.js";

const FEW = [1, 2, 3, 5];

/** Steps to the second of two evaluations in a row at or above the threshold; infinite if there are none. */
export function stepsTo(points, threshold) {
  const at = points.findIndex(({ greedy }, i) => i > 0 && greedy >= threshold && points[i - 1].greedy >= threshold);
  return at < 0 ? Infinity : points[at].steps;
}

/** How many seeds of an arm balance, and when, in words. */
export function solved({ label, seeds }, threshold) {
  const steps = seeds.map((points) => stepsTo(points, threshold)).sort((a, b) => a - b);
  const reached = steps.filter(Number.isFinite).length;
  const median = (steps[Math.ceil(steps.length / 2) - 1] + steps[Math.floor(steps.length / 2)]) / 2;
  const when = Number.isFinite(median) ? `, the median after ${short(median)} steps` : "";
  return `${label}: ${reached} of ${steps.length} seeds balance for ${threshold} steps, twice in a row${when}`;
}

/** Which arm is ahead, and a table of how often fewer seeds would have pointed elsewhere than all of them do. */
export function verdictOf([plain, cell]) {
  const scores = [plain, cell].map(({ seeds }) => seeds.map((points) => points.reduce((sum, { greedy }) => sum + greedy, 0) / points.length));
  const share = fewSeeds(scores[0], scores[1], scores[0].length).share;
  return [
    html("p", {}, whoIsAhead(scores, share)),
    html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "How often few seeds would have misled" }, tableOfFew(scores, share)),
    html("p", { class: "detail" }, "And eight seeds are few, too: run it again at another γ, and compare the intervals."),
  ];
}

/** `share` is 1 where the cell's mean is higher, 0 where it is lower, and 0.5 where both are equal. */
function whoIsAhead(scores, share) {
  const [plain, cell] = scores.map(estimate);
  const ahead = share === 0.5 ? "neither" : share > 0.5 ? "the cell" : "plain PPO";
  const apart = cell.low > plain.high || plain.low > cell.high;
  const said = ({ value, low, high }) => `${short(value)} (${interval(low, high)})`;
  return `Mean return over the whole training, IQM of ${scores[0].length} seeds: with the cell ${said(cell)}, plain PPO ${said(plain)}. By their means ${ahead} is ahead${apart ? "" : ", and the intervals overlap"}.`;
}

function tableOfFew(scores, share) {
  const head = ["seeds", "ways to choose them", "would have pointed the other way"].map((text, i) => html("th", { scope: "col", class: i ? "number" : "" }, text));
  const rows = FEW.map((k) => {
    const few = fewSeeds(scores[0], scores[1], k);
    const wrong = share === 0.5 ? null : share > 0.5 ? 1 - few.share : few.share;
    return html("tr", {}, html("th", { scope: "row" }, `${k} + ${k}`), html("td", { class: "number" }, few.ways.toLocaleString("en")), html("td", { class: "number" }, percent(wrong)));
  });
  return html("table", {}, html("caption", {}, "Had only this few seeds been run, out of these"), html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...rows));
}
