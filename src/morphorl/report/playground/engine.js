// What the page and its workers compute with; the page's drawing stands apart.
import { atBound, drawCell } from "./cell.js";
import { contrastOf, criticalStrength, makeField } from "./field.js";
import { beginEpisode, knobsOf, readAgent, stepEpisode } from "./player.js";
import { serveTraining } from "./training_worker.js";
import { choices, estimate, fewSeeds } from "./statistics.js";
