// The report's charts, drawn as SVG from the JSON in the page. Colours are CSS classes, so that themes and print need no
// drawing again.
import { button, html, select, svg } from "./elements.js";
import { band, interval, path, percent, scale, short, signed, stairs } from "./numbers.js";
import { startReplay } from "./replay.js";

const report = JSON.parse(document.getElementById("data").textContent);
const state = { off: new Set(), group: 0, logX: false, logY: false, seeds: false, luck: "better" };
const MARGIN = { top: 12, right: 14, bottom: 40, left: 50 };

// --- Arms -----------------------------------------------------------------------------------------------------------

const group = () => report.groups[state.group].arms;
const label = (arm) => report.arms[arm].label;
const shown = (panel) => panel.arms.filter((one) => group().includes(one.arm) && !state.off.has(one.arm));

/**
 * The class that colours an arm: a sequence by strength, and colours of their own, dashed, for all others; solid ones
 * where no arm has a strength.
 */
function tint(arm) {
  const strengths = [...new Set(group().map((i) => report.arms[i].strength).filter((s) => s !== null))].sort((a, b) => a - b);
  const strength = report.arms[arm].strength;
  if (strength === null || !group().includes(arm)) {
    const others = group().filter((i) => report.arms[i].strength === null);
    const place = Math.max(0, others.indexOf(arm));
    if (!strengths.length) return `q${place % 6}${place < 6 ? "" : ` d${(Math.floor(place / 6) - 1) % 6}`}`;
    return `r${place % 6} d${(place + Math.floor(place / 6)) % 6}`; // a second round of colours has other dashes
  }
  return `g${strengths.length < 2 ? 7 : Math.round((7 * strengths.indexOf(strength)) / (strengths.length - 1))}`;
}

const swatch = (arm) =>
  svg("svg", { class: "swatch", viewBox: "0 0 26 10", "aria-hidden": "true" }, svg("path", { class: `line ${tint(arm)}`, d: "M1,5H25" }));

// --- A chart: axes, marks, and values under the pointer or the arrow keys -------------------------------------------

function chart(host, { title, x, y, xLabel, yLabel, xText = short, yText = short, xTicks = null, slanted = false, height = 300, describe }) {
  const width = Math.max(280, host.clientWidth || 640);
  const right = width - MARGIN.right;
  height += slanted ? 80 : 0;
  const bottom = height - MARGIN.bottom - (slanted ? 80 : 0);
  const xs = x(MARGIN.left, right);
  const ys = y(bottom, MARGIN.top);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: "0", "aria-label": describe, class: "chart" });
  const axes = svg("g", { class: "axes" });
  for (const tick of ys.ticks) {
    const at = ys(tick);
    axes.append(svg("path", { class: "grid", d: `M${MARGIN.left},${at}H${right}` }));
    axes.append(svg("text", { x: MARGIN.left - 7, y: at + 4, "text-anchor": "end" }, yText(tick)));
  }
  let free = -Infinity;
  for (const [tick, text] of xTicks || xs.ticks.map((tick) => [tick, xText(tick)])) {
    const at = xs(tick);
    if (at < free && !slanted) continue; // would run into the one before
    free = at + 10 + 7 * text.length;
    axes.append(svg("path", { class: "tick", d: `M${at},${bottom}v4` }));
    const lies = slanted ? { transform: `translate(${at + 4} ${bottom + 14}) rotate(-38)`, "text-anchor": "end" } : { x: at, y: bottom + 17, "text-anchor": "middle" };
    axes.append(svg("text", lies, text));
  }
  axes.append(svg("path", { class: "axis", d: `M${MARGIN.left},${bottom}H${right}` }));
  axes.append(svg("text", { class: "label", x: (MARGIN.left + right) / 2, y: height - 5, "text-anchor": "middle" }, xLabel));
  const turned = `translate(12 ${(MARGIN.top + bottom) / 2}) rotate(-90)`;
  axes.append(svg("text", { class: "label", transform: turned, "text-anchor": "middle" }, yLabel));
  const marks = svg("g");
  root.append(axes, marks);
  host.replaceChildren(html("figcaption", {}, title), root);
  return { host, root, marks, xs, ys, width, right, bottom, title };
}

/** Show `rows(i)` (head and lines) at the position `places[i]` that is nearest to the pointer; arrow keys move it. */
function follow(frame, places, rows) {
  if (!places.length) return;
  const cursor = svg("g", { class: "cursor", visibility: "hidden" });
  const tip = html("div", { class: "tip", role: "status", hidden: "" });
  let current = -1;
  frame.root.append(cursor);
  frame.host.append(tip);
  const hide = () => {
    current = -1;
    cursor.setAttribute("visibility", "hidden");
    tip.hidden = true;
  };
  const show = (i) => {
    current = Math.min(places.length - 1, Math.max(0, i));
    const { head, lines } = rows(current);
    const at = places[current];
    const dots = lines.filter((line) => Number.isFinite(line.y)).map((line) => svg("circle", { class: `dot ${tint(line.arm)}`, cx: line.x ?? at, cy: line.y, r: 3.5 }));
    cursor.replaceChildren(svg("path", { d: `M${at},${MARGIN.top}V${frame.bottom}` }), ...dots);
    cursor.setAttribute("visibility", "visible");
    tip.replaceChildren(
      html("strong", {}, head),
      ...lines.map((line) => html("div", {}, swatch(line.arm), html("span", {}, label(line.arm)), html("b", {}, line.text), html("i", {}, line.more || "")))
    );
    tip.hidden = false;
    const ratio = frame.root.clientWidth / frame.width || 1;
    const left = at * ratio;
    const beyond = left > frame.root.clientWidth / 2;
    tip.style.left = beyond ? "auto" : `${left + 14}px`;
    tip.style.right = beyond ? `${frame.root.clientWidth - left + 14}px` : "auto";
  };
  frame.root.addEventListener("pointermove", (event) => {
    const box = frame.root.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * frame.width;
    const distances = places.map((place) => Math.abs(place - x));
    show(distances.indexOf(Math.min(...distances)));
  });
  frame.root.addEventListener("pointerleave", hide);
  frame.root.addEventListener("blur", hide);
  frame.root.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: current - 1, ArrowRight: current + 1, Home: 0, End: places.length - 1 };
    if (event.key === "Escape") hide();
    if (!(event.key in moves)) return;
    event.preventDefault();
    show(current < 0 && event.key === "ArrowLeft" ? places.length - 1 : moves[event.key]);
  });
}

/** The sentences that stand where an arm has nothing to show; one that all arms share is said once. */
function notes(host, panel, name) {
  const silent = shown(panel).filter((one) => typeof one[name] === "string" && !(name === "luck" && one.arm === panel.rival));
  const by = Map.groupBy ? Map.groupBy(silent, (one) => one[name]) : new Map(silent.map((one) => [one[name], silent.filter((two) => two[name] === one[name])]));
  const sentences = [...by].map(([why, which]) => {
    const all = which.length > 1 && which.length >= shown(panel).length - 1;
    return html("li", {}, all ? `All arms: ${why}` : `${which.map((one) => label(one.arm)).join(", ")}: ${why}`);
  });
  for (const missing of panel.missing) if (group().some((i) => label(i) === missing)) sentences.push(html("li", {}, `${missing}: no finished run.`));
  const diverged = shown(panel).filter((one) => one.diverged && name === "curve");
  sentences.push(...diverged.map((one) => html("li", {}, `${label(one.arm)}: ${one.diverged} of ${one.runs} runs diverged; they are counted with what they got.`)));
  if (sentences.length) host.append(html("ul", { class: "notes" }, ...sentences));
}

const known = (panel, name) => shown(panel).filter((one) => typeof one[name] !== "string");

function empty(host, panel, title, name) {
  const why = shown(panel).length ? "Nothing to draw here." : "No arm is switched on.";
  host.replaceChildren(html("figcaption", {}, title), html("p", { class: "empty" }, why));
  notes(host, panel, name);
}

const titleOf = (panel) => [panel.environment, panel.preset].filter(Boolean).join(", ");

// --- Learning curves ------------------------------------------------------------------------------------------------

function drawLearning(host, panel) {
  const arms = known(panel, "curve");
  const title = titleOf(panel);
  if (!arms.length) return empty(host, panel, title, "curve");
  const steps = arms[0].curve.steps;
  const values = arms.flatMap(({ curve }) => [...curve.middle, ...curve.high, ...curve.low]).filter((v) => v !== null);
  const seeds = state.seeds ? arms.flatMap(({ curve }) => (curve.seeds || []).flat()) : [];
  const all = [...values, ...seeds.filter((v) => v !== null)];
  const top = all.reduce((a, b) => Math.max(a, b), -Infinity);
  const least = all.reduce((a, b) => Math.min(a, b), Infinity);
  const logY = state.logY && least > 0;
  const floor = logY ? least * 0.9 : Math.min(0, least * 1.05);
  const frame = chart(host, {
    title,
    x: (from, to) => scale(state.logX ? steps[0] : 0, steps.at(-1), from, to, state.logX),
    y: (from, to) => scale(floor, top > floor ? top * (top > 0 ? 1.03 : 1) : floor + 1, from, to, logY),
    xLabel: "environment steps",
    yLabel: "episode return",
    height: 330,
    describe: `Learning curves, ${title}: ${arms.map((one) => `${label(one.arm)} ends at ${short(one.curve.middle.at(-1))}`).join("; ")}. Arrow keys read values.`,
  });
  const { xs, ys, marks } = frame;
  const along = (column) => column.map((v, i) => [xs(steps[i]), ys(v)]);
  for (const { arm, curve } of arms) {
    const some = svg("g", { class: `arm ${tint(arm)}`, "data-arm": arm });
    some.append(svg("g", { class: "seeds" }, ...(curve.seeds || []).map((seed) => svg("path", { class: "seed", d: path(along(seed)) }))));
    if (curve.low[0] !== null) some.append(svg("path", { class: "band", d: band(along(curve.high), along(curve.low)) }));
    some.append(svg("path", { class: `line ${tint(arm)}`, d: path(along(curve.middle)) }));
    marks.append(some);
  }
  frame.root.classList.toggle("with-seeds", state.seeds);
  follow(frame, steps.map(xs), (i) => ({
    head: `${steps[i].toLocaleString("en")} steps`,
    lines: arms.map(({ arm, curve }) => ({ arm, y: ys(curve.middle[i]), text: short(curve.middle[i]), more: interval(curve.low[i], curve.high[i]) })),
  }));
  notes(host, panel, "curve");
}

// --- Steps to the threshold -----------------------------------------------------------------------------------------

function drawSurvival(host, panel) {
  const arms = known(panel, "survival");
  const title = `${titleOf(panel)}: runs not yet at ${panel.threshold ?? "a threshold"}`;
  if (!arms.length) return empty(host, panel, title, "survival");
  const end = Math.max(...arms.map(({ survival, curve }) => curve.steps?.at(-1) ?? survival.steps.at(-1)));
  const start = Math.min(...arms.map(({ survival }) => survival.steps[0]));
  const logX = state.logX && start < end;
  const from0 = logX ? start * 0.8 : 0;
  const frame = chart(host, {
    title,
    x: (from, to) => scale(from0, end, from, to, logX),
    y: (from, to) => scale(0, 1, from, to),
    xLabel: "environment steps",
    yLabel: "share of runs",
    yText: percent,
    describe: `Survival curves, ${title}: ${arms.map((one) => `${label(one.arm)} median ${medianOf(one)}`).join("; ")}. Arrow keys read values.`,
  });
  const { xs, ys, marks } = frame;
  for (const { arm, survival } of arms) {
    const along = (name) => stairs([[xs(from0), ys(1)], ...survival.steps.map((s, i) => [xs(s), ys(survival[name][i])]), [xs(end), ys(survival[name].at(-1))]]);
    const some = svg("g", { class: `arm ${tint(arm)}`, "data-arm": arm });
    some.append(svg("path", { class: "band faint", d: band(along("high"), along("low")) }));
    some.append(svg("path", { class: `line ${tint(arm)}`, d: path(along("share")) }));
    marks.append(some);
  }
  const places = Array.from({ length: 61 }, (_, i) => MARGIN.left + ((frame.right - MARGIN.left) * i) / 60);
  follow(frame, places, (i) => {
    const step = xs.invert(places[i]);
    const at = (survival) => survival.steps.findLastIndex((s) => s <= step + 1e-6);
    const value = (survival) => (at(survival) < 0 ? 1 : survival.share[at(survival)]);
    return {
      head: `${Math.round(step).toLocaleString("en")} steps`,
      lines: arms.map((one) => ({ arm: one.arm, y: ys(value(one.survival)), text: percent(value(one.survival)), more: `median ${medianOf(one)}` })),
    };
  });
  notes(host, panel, "survival");
}

const medianOf = ({ survival }) => (survival.median.value === null ? `beyond ${short(survival.steps.at(-1))}` : short(survival.median.value));

// --- Early return against γ -----------------------------------------------------------------------------------------

function drawEarly(host, panel) {
  const arms = known(panel, "early");
  const title = titleOf(panel);
  if (!arms.length) return empty(host, panel, title, "early");
  const swept = arms.filter(({ arm }) => report.arms[arm].strength !== null).sort((a, b) => report.arms[a.arm].strength - report.arms[b.arm].strength);
  const others = arms.filter(({ arm }) => report.arms[arm].strength === null);
  const levels = swept.length && others.length <= 2 ? others : []; // more of them than that would cover each other
  const points = levels.length || !others.length ? swept : [...others, ...swept];
  const byStrength = points === swept;
  const columnName = ({ arm }) => (byStrength ? report.arms[arm].strength : label(arm));
  const columns = [...new Set(points.map(columnName))];
  const column = (point) => columns.indexOf(columnName(point));
  const values = arms.flatMap(({ early }) => [early.value, early.low, early.high, ...early.seeds]).filter((v) => v !== null);
  const [least, top] = [Math.min(...values), Math.max(...values)];
  const room = (top - least || Math.abs(top) || 1) * 0.06;
  const text = (name) => (byStrength ? short(name) : name.length > 20 ? `${name.slice(0, 19)}…` : name);
  const frame = chart(host, {
    title,
    x: (from, to) => scale(-0.6, columns.length - 0.4, from, to),
    y: (from, to) => scale(least - room, top + room, from, to),
    xTicks: columns.map((name, i) => [i, text(name)]),
    slanted: !byStrength,
    xLabel: byStrength ? "guidance strength γ (evenly spaced)" : "arm",
    yLabel: "early return",
    describe: `Early return, ${title}: ${arms.map(({ arm, early }) => `${label(arm)} ${short(early.value)}, ${interval(early.low, early.high)}`).join("; ")}. Arrow keys read values.`,
  });
  const { xs, ys, marks, right } = frame;
  for (const { arm, early } of levels) {
    const some = svg("g", { class: `arm ${tint(arm)}`, "data-arm": arm });
    if (early.low !== null) some.append(svg("path", { class: "band", d: band([[MARGIN.left, ys(early.high)], [right, ys(early.high)]], [[MARGIN.left, ys(early.low)], [right, ys(early.low)]]) }));
    some.append(svg("path", { class: `line ${tint(arm)}`, d: `M${MARGIN.left},${ys(early.value)}H${right}` }));
    marks.append(some);
  }
  for (const point of points) {
    const { arm, early } = point;
    const at = xs(column(point));
    const some = svg("g", { class: `arm ${tint(arm)}`, "data-arm": arm });
    const spread = (i) => at + 10 + 14 * ((i * 0.618) % 1);
    some.append(...early.seeds.map((seed, i) => svg("circle", { class: "one", cx: spread(i), cy: ys(seed), r: 2 })));
    if (early.low !== null) some.append(svg("path", { class: "whisker", d: `M${at},${ys(early.low)}V${ys(early.high)}` }));
    some.append(svg("circle", { class: "point", cx: at, cy: ys(early.value), r: 5 }));
    marks.append(some);
  }
  follow(frame, columns.map((_, i) => xs(i)), (i) => ({
    head: byStrength ? `γ = ${columns[i]}` : columns[i],
    lines: [...points.filter((point) => column(point) === i), ...levels].map(({ arm, early }) => ({ arm, y: ys(early.value), text: short(early.value), more: interval(early.low, early.high) })),
  }));
  notes(host, panel, "early");
}

// --- Luck -----------------------------------------------------------------------------------------------------------

function drawLuck(host, panel) {
  const arms = known(panel, "luck");
  const title = `${titleOf(panel)}: found above ${label(panel.rival)}`;
  if (!arms.length) return empty(host, panel, title, "luck");
  const sizes = arms[0].luck.map((one) => one.n);
  const better = state.luck === "better";
  const frame = chart(host, {
    title,
    x: (from, to) => scale(-0.3, sizes.length - 0.7, from, to),
    y: (from, to) => scale(0, 1, from, to),
    xTicks: sizes.map((n, i) => [i, `${n}`]),
    xLabel: "seeds of each arm in the comparison",
    yLabel: better ? "higher mean" : "p ≤ 0.05",
    yText: percent,
    describe: `How often few seeds would find an arm above ${label(panel.rival)}, ${title}: ${arms.map((one) => `${label(one.arm)} ${one.luck.map((l) => `${l[state.luck] ? percent(l[state.luck].value) : "nothing"} with ${l.n}`).join(", ")}`).join("; ")}. Arrow keys read values.`,
  });
  const { xs, ys, marks, right } = frame;
  marks.append(svg("path", { class: "mark", d: `M${MARGIN.left},${ys(better ? 0.5 : 0.025)}H${right}` }));
  for (const { arm, luck } of arms) {
    const told = luck.map((one, i) => [xs(i), one[state.luck]]).filter(([, share]) => share !== null);
    const along = (name) => told.map(([x, share]) => [x, ys(share[name])]);
    const points = along("value");
    const some = svg("g", { class: `arm ${tint(arm)}`, "data-arm": arm }, svg("path", { class: "band faint", d: band(along("high"), along("low")) }), svg("path", { class: `line ${tint(arm)}`, d: path(points) }));
    some.append(...points.map(([cx, cy]) => svg("circle", { class: "point", cx, cy, r: 3.5 })));
    marks.append(some);
  }
  follow(frame, sizes.map((_, i) => xs(i)), (i) => ({
    head: `${sizes[i]} ${sizes[i] === 1 ? "seed" : "seeds"} of each`,
    lines: arms.map(({ arm, luck }) => {
      const share = luck[i][state.luck];
      return share === null ? { arm, y: NaN, text: "–" } : { arm, y: ys(share.value), text: percent(share.value), more: `${percent(share.low)} to ${percent(share.high)}` };
    }),
  }));
  notes(host, panel, "luck");
}

// --- Performance profiles -------------------------------------------------------------------------------------------

function drawProfile(host, panel) {
  const arms = known(panel, "profile");
  const title = `${titleOf(panel)}: runs above a score`;
  if (!arms.length) return empty(host, panel, title, "profile");
  const levels = arms[0].profile.levels;
  const frame = chart(host, {
    title,
    x: (from, to) => scale(levels[0], levels.at(-1) > levels[0] ? levels.at(-1) : levels[0] + 1, from, to),
    y: (from, to) => scale(0, 1, from, to),
    xLabel: "score",
    yLabel: "share of runs",
    yText: percent,
    describe: `Performance profiles, ${title}: ${arms.map((one) => `${label(one.arm)} ${percent(one.profile.share[50])} above ${short(levels[50])}`).join("; ")}. Arrow keys read values.`,
  });
  const { xs, ys, marks } = frame;
  for (const { arm, profile } of arms) {
    const along = (name) => stairs(profile[name].map((v, i) => [xs(levels[i]), ys(v)]));
    const some = svg("g", { class: `arm ${tint(arm)}`, "data-arm": arm });
    some.append(svg("path", { class: "band faint", d: band(along("high"), along("low")) }));
    some.append(svg("path", { class: `line ${tint(arm)}`, d: path(along("share")) }));
    marks.append(some);
  }
  follow(frame, levels.map(xs), (i) => ({
    head: `above ${short(levels[i])}`,
    lines: arms.map(({ arm, profile }) => ({ arm, y: ys(profile.share[i]), text: percent(profile.share[i]), more: interval(profile.low[i], profile.high[i], percent) })),
  }));
  notes(host, panel, "profile");
}

// --- The multiverse: every reading's effect, sorted, over the choices that it makes ---------------------------------

function drawSpecification(host, preset, claim) {
  const rows = report.claims.filter((row) => row.preset === preset && row.claim === claim);
  const sorted = rows.filter((row) => row.effect !== null).sort((a, b) => a.effect - b.effect);
  const title = `${claim}, ${preset}: ${sorted.length} of ${rows.length} readings by their effect (${rows[0].metric})`;
  if (!sorted.length) return host.replaceChildren(html("figcaption", {}, title), html("p", { class: "empty" }, rows[0].reason));
  const settings = Object.keys(rows[0].options);
  const choices = settings.flatMap((name) => [...new Set(rows.map((row) => row.options[name]))].map((value) => ({ name, value })));
  const width = Math.max(host.clientWidth || 640, 150 + 5 * sorted.length);
  const [left, top, height, line] = [150, 14, 170, 16];
  const clip = (v) => Math.max(-1.5, Math.min(1.5, v));
  const ends = sorted.flatMap((row) => [clip(row.low), clip(row.high)]);
  const xs = scale(-0.7, sorted.length - 0.3, left, width - 8);
  const ys = scale(Math.min(-0.3, ...ends), Math.max(0.3, ...ends), top + height, top);
  const total = top + height + 18 + line * choices.length;
  const described = `${title}: from ${signed(sorted[0].effect)} to ${signed(sorted.at(-1).effect)} of what plain PPO learns.`;
  const root = svg("svg", { viewBox: `0 0 ${width} ${total}`, role: "img", tabindex: "0", "aria-label": described, class: "chart specification" });
  for (const tick of ys.ticks) {
    root.append(svg("path", { class: tick === 0 ? "axis" : "grid", d: `M${left},${ys(tick)}H${width - 8}` }));
    root.append(svg("text", { x: left - 7, y: ys(tick) + 4, "text-anchor": "end" }, signed(tick)));
  }
  for (const side of [-1, 1]) root.append(svg("path", { class: "mark", d: `M${left},${ys(side * report.margin)}H${width - 8}` }));
  const rowOf = (i) => top + height + 24 + line * i;
  choices.forEach(({ name, value }, i) => {
    root.append(svg("text", { x: left - 7, y: rowOf(i) + 4, "text-anchor": "end" }, `${name} ${value}`));
    root.append(svg("path", { class: "grid", d: `M${left},${rowOf(i)}H${width - 8}` }));
  });
  sorted.forEach((row, i) => {
    const at = xs(i);
    const some = svg("g", { class: `answer ${row.verdict}` });
    some.append(svg("path", { class: "whisker", d: `M${at},${ys(clip(row.low))}V${ys(clip(row.high))}` }), svg("circle", { class: "point", cx: at, cy: ys(clip(row.effect)), r: 3 }));
    choices.forEach(({ name, value }, c) => {
      if (row.options[name] === value) some.append(svg("rect", { x: at - 2, y: rowOf(c) - 4, width: 4, height: 8 }));
    });
    root.append(some);
  });
  const cursor = svg("path", { class: "cursor", visibility: "hidden" });
  const tip = html("p", { class: "detail", role: "status" }, "Point at a reading, or move with the arrow keys, to see it.");
  root.append(cursor);
  let current = -1;
  const show = (i) => {
    current = Math.min(sorted.length - 1, Math.max(0, i));
    const row = sorted[current];
    cursor.setAttribute("d", `M${xs(current)},${top}V${total}`);
    cursor.setAttribute("visibility", "visible");
    const choice = settings.map((name) => `${name} ${row.options[name]}`).join(", ");
    tip.replaceChildren(html("b", {}, `${choice}: ${row.verdict}. `), `${signed(row.effect)} (${interval(row.low, row.high, signed)}), ${row.n} seeds. ${row.reason}`);
  };
  root.addEventListener("pointermove", (event) => {
    const box = root.getBoundingClientRect();
    show(Math.round(xs.invert(((event.clientX - box.left) / box.width) * width)));
  });
  root.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: current - 1, ArrowRight: current + 1, Home: 0, End: sorted.length - 1 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    show(moves[event.key]);
  });
  host.replaceChildren(html("figcaption", {}, title), html("div", { class: "wide" }, root), tip);
}

// --- The page's charts and their controls ---------------------------------------------------------------------------

const DRAWINGS = { learning: drawLearning, survival: drawSurvival, early: drawEarly, luck: drawLuck, profile: drawProfile };

function draw() {
  for (const host of document.querySelectorAll("figure[data-chart]")) DRAWINGS[host.dataset.chart](host, report.panels[host.dataset.panel]);
}

function drawSpecifications() {
  for (const host of document.querySelectorAll("figure[data-claim]")) drawSpecification(host, host.dataset.preset, host.dataset.claim);
}

function emphasise(arm) {
  for (const one of document.querySelectorAll(".arm")) {
    one.classList.toggle("dim", arm !== null && Number(one.dataset.arm) !== arm);
    one.classList.toggle("focus", Number(one.dataset.arm) === arm);
  }
}

function drawLegend() {
  const host = document.getElementById("legend");
  const toggles = group().map((arm) => {
    const node = button(label(arm), !state.off.has(arm), () => {
      if (!state.off.delete(arm)) state.off.add(arm);
      node.setAttribute("aria-pressed", !state.off.has(arm));
      draw();
    }, swatch(arm), html("span", {}, label(arm)));
    node.addEventListener("pointerenter", () => emphasise(arm));
    node.addEventListener("pointerleave", () => emphasise(null));
    return node;
  });
  const all = html("button", { type: "button", class: "plain" }, "all");
  all.addEventListener("click", () => {
    state.off.clear();
    drawLegend();
    draw();
  });
  const choose = select("Reading", report.groups.map((one) => one.name), state.group, (i) => {
    state.group = i;
    drawLegend();
    draw();
    document.querySelector("#legend select").focus();
  });
  host.replaceChildren(...(report.groups.length > 1 ? [choose] : []), html("div", { class: "toggles", role: "group", "aria-label": "Arms shown" }, ...toggles, all));
}

function bindSwitches() {
  for (const node of document.querySelectorAll("button[data-switch]")) {
    const name = node.dataset.switch;
    node.addEventListener("click", () => {
      state[name] = !state[name];
      for (const same of document.querySelectorAll(`button[data-switch="${name}"]`)) same.setAttribute("aria-pressed", state[name]);
      draw();
    });
  }
  for (const node of document.querySelectorAll("button[data-luck]")) {
    node.addEventListener("click", () => {
      state.luck = node.dataset.luck;
      for (const same of document.querySelectorAll("button[data-luck]")) same.setAttribute("aria-pressed", same === node);
      draw();
    });
  }
}

// --- Begin ----------------------------------------------------------------------------------------------------------

drawLegend();
bindSwitches();
draw();
drawSpecifications();
startReplay(document.getElementById("replay-panel"), report.replay, label);
window.addEventListener("beforeprint", () => {
  for (const node of document.querySelectorAll("details")) node.open = true;
});
let width = window.innerWidth;
window.addEventListener("resize", () => {
  if (window.innerWidth === width) return; // a phone's address bar comes and goes
  width = window.innerWidth;
  draw();
  drawSpecifications();
});
