// The page of `morphorl watch`: the episodes of one agent.
import { startReplay } from "./replay.js";

const watched = JSON.parse(document.getElementById("data").textContent);
startReplay(document.getElementById("replay-panel"), watched.replay, (arm) => watched.arms[arm].label);
