// The playground: its parts, each usable alone.
import { startReplay } from "../templates/replay.js";
import { makeAddress } from "./controls.js";
import { fieldPart } from "./field_part.js";
import { livePart } from "./live_part.js";
import { readAgent } from "./player.js";
import { trainingPart } from "./training_part.js";

const data = JSON.parse(document.getElementById("data").textContent);
const address = makeAddress();
const place = (id) => document.getElementById(id);
const told = data.agents.filter(({ live }) => live).map(({ live, ...rest }) => ({ ...rest, ...readAgent(live) }));
const recorded = data.agents.filter((one) => one.recorded);
const plain = told.filter(({ blend, memory, environment }) => blend === "none" && !memory && environment === "CartPole-v1");
const beside = (agent) => plain.find(({ stage }) => stage === agent.stage) ?? plain[plain.length - 1];
const common = { address, constants: data.constants, ranges: data.ranges };

const live = told.filter(({ memory }) => !memory);
if (live.length) {
  livePart(place("live-part"), {
    ...common, key: "live", agents: live, beside: "plain PPO in the same disturbance",
    knobs: ["strength", "weight", "activator_diffusion", "inhibitor_diffusion", "activator_production", "inhibitor_production", "activator_decay", "inhibitor_decay"],
    companion: (agent) => (beside(agent) && agent.blend !== "none" ? { agent: beside(agent), label: "plain PPO", unguided: false } : null),
  });
}
if (recorded.length) {
  startReplay(place("recorded-part"), recorded.map((one, arm) => ({ ...one.recorded, arm })), (arm) => recorded[arm].label);
}
const trained = trainingPart(place("training-part"), { ...common, training: data.training, source: place("engine").textContent });
fieldPart(place("field-part"), { address, settings: data.field, ranges: data.ranges });
const remembering = told.filter(({ memory }) => memory);
if (remembering.length) {
  livePart(place("memory-part"), {
    ...common, key: "memory", agents: remembering, beside: "the same agent without guidance",
    knobs: ["strength"], companion: (agent) => ({ agent, label: "the same without guidance", unguided: true }),
  });
}
for (const link of document.querySelectorAll("nav a, a.skip")) {
  link.addEventListener("click", (event) => {
    event.preventDefault(); // the address holds what the controls are set to
    const section = document.querySelector(link.getAttribute("href"));
    section.scrollIntoView();
    section.querySelector("h2").focus();
  });
}
