// Controls, and the address that holds what they are set to, so that a moment can be shared.
import { html } from "../templates/elements.js";

const WAIT = 250; // milliseconds: browsers refuse addresses that change too often

/** What the address says of the controls; values that are the usual ones are left out. */
export function makeAddress() {
  const read = () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  let kept = read();
  let waiting = null;
  const followers = [];
  window.addEventListener("hashchange", () => {
    if (!location.hash.includes("=")) return;
    kept = read();
    for (const follow of [...followers]) follow();
  });
  const write = () => {
    waiting = null;
    history.replaceState(null, "", `#${kept}`);
  };
  return {
    get: (key, usual) => (kept.has(key) ? kept.get(key) : usual),
    set: (key, value, usual) => {
      if (`${value}` === `${usual}`) kept.delete(key);
      else kept.set(key, value);
      waiting ??= setTimeout(write, WAIT);
    },
    follow: (action) => followers.push(action),
  };
}

/** A slider for a number; `text` says the number in words. */
export function slider(address, { key, label, range: [from, to, step], usual, text = (v) => `${+v.toFixed(4)}` }, changed) {
  const input = html("input", { type: "range", min: Math.min(from, usual), max: Math.max(to, usual), step: "any", "aria-label": label });
  const output = html("output", {});
  const root = html("label", { class: "knob" }, html("span", {}, label), input, output);
  const inside = (v) => Math.min(Number(input.max), Math.max(Number(input.min), v));
  const say = (value) => {
    input.value = value;
    output.textContent = text(value);
    input.setAttribute("aria-valuetext", text(value));
  };
  const allowed = (value) => (value !== "" && Number.isFinite(Number(value)) ? inside(Number(value)) : usual);
  const set = (value) => {
    one.value = allowed(value);
    say(one.value);
    address.set(key, one.value, usual);
    changed(one.value);
  };
  const one = { root, set, value: usual, reset: () => set(usual) };
  const rounded = (v) => (Math.abs(v - usual) < step / 2 ? usual : Number((Math.round(v / step) * step).toPrecision(8)));
  input.addEventListener("input", () => set(rounded(Number(input.value))));
  input.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    set(Number((one.value + moves[event.key] * step).toPrecision(8)));
  });
  address.follow(() => set(address.get(key, usual)));
  one.value = allowed(address.get(key, usual));
  say(one.value);
  return one;
}

/** A box to tick. */
export function tick(address, { key, label, usual = false }, changed) {
  const input = html("input", { type: "checkbox" });
  const root = html("label", { class: "check" }, input, ` ${label}`);
  const one = { root, value: usual };
  const set = (value) => {
    one.value = input.checked = value;
    address.set(key, value ? 1 : 0, usual ? 1 : 0);
    changed(value);
  };
  const inAddress = () => address.get(key, usual ? "1" : "0") === "1";
  input.addEventListener("change", () => set(input.checked));
  address.follow(() => set(inAddress()));
  one.value = input.checked = inAddress();
  return one;
}

/** One of several options, as buttons; `set` takes a place, and `options` may change. */
export function oneOf(address, { key, label, options, usual = 0 }, changed) {
  const root = html("div", { class: "toggles", role: "group", "aria-label": label });
  const one = { root, value: usual };
  const inAddress = () => Math.min(options.length - 1, Math.max(0, Math.trunc(Number(address.get(key, usual))) || 0));
  const nodes = options.map((text, i) => {
    const node = html("button", { type: "button" }, html("span", {}, text));
    node.addEventListener("click", () => set(i));
    return node;
  });
  const say = () => nodes.forEach((node, i) => node.setAttribute("aria-pressed", i === one.value));
  const set = (i) => {
    one.value = i;
    say();
    address.set(key, i, usual);
    changed(i);
  };
  address.follow(() => set(inAddress()));
  root.append(...nodes);
  one.value = inAddress();
  say();
  return one;
}

/** A plain button. */
export function press(label, action, kind = "") {
  const node = html("button", { type: "button", class: kind }, label);
  node.addEventListener("click", action);
  return node;
}
