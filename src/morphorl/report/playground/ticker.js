// Time for the parts that move: only those that are on the screen, and none at first where motion is unwanted.
import { press } from "./controls.js";

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const LONGEST = 0.1; // seconds that a frame may count for: a page in the background stands still

/** Something to tell how many seconds have passed; at each half of one it takes the action. */
export function everyHalfSecond(action) {
  let since = 0;
  return (seconds) => {
    since += seconds;
    if (since < 0.5) return;
    since = 0;
    action();
  };
}

/** Calls `advance(seconds)` at every frame while `host` is visible and nobody has paused it; gives the button for that, and `stop`. */
export function animate(host, advance) {
  let [running, visible, before] = [!calm(), false, null];
  const button = press("", () => { running = !running; say(); next(); }, "play");
  const say = () => { button.textContent = running ? "❚❚ Pause" : "▶ Play"; };
  const frame = (now) => {
    before ??= now;
    advance(Math.min(LONGEST, (now - before) / 1000));
    before = now;
    next();
  };
  let waiting = null;
  const next = () => {
    if (waiting !== null) cancelAnimationFrame(waiting);
    waiting = running && visible ? requestAnimationFrame(frame) : null;
    if (waiting === null) before = null;
  };
  const observer = new IntersectionObserver((entries) => {
    visible = entries[entries.length - 1].isIntersecting;
    next();
  });
  observer.observe(host);
  say();
  const stop = () => {
    observer.disconnect();
    visible = false;
    next();
  };
  return { button, stop };
}
