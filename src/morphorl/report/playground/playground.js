// The playground: its parts, each usable alone.
import { startReplay } from "../templates/replay.js";
import { makeAddress } from "./controls.js";
import { fieldPart } from "./field_part.js";
import { livePart } from "./live_part.js";
import { readAgent } from "./player.js";
import { trainingPart } from "./training_part.js";

const OF_CELLS = ["strength", "weight", "activator_diffusion", "inhibitor_diffusion", "activator_production", "inhibitor_production", "activator_decay", "inhibitor_decay"];
const data = JSON.parse(document.getElementById("data").textContent);
const common = { address: makeAddress(), constants: data.constants, ranges: data.ranges };
const place = (id) => document.getElementById(id);

const computed = data.agents.filter(({ live }) => live).map(({ live, ...rest }) => ({ ...rest, ...readAgent(live) }));
const [withMemory, withoutMemory] = [computed.filter(({ memory }) => memory), computed.filter(({ memory }) => !memory)];
if (withoutMemory.length) {
  const plain = withoutMemory.filter(({ blend, environment }) => blend === "none" && environment === "CartPole-v1");
  const baselineOf = ({ blend, stage }) => {
    const agent = plain.find((one) => one.stage === stage) ?? plain.at(-1);
    return agent && blend !== "none" ? { agent, label: "plain PPO", caption: "plain PPO in the same disturbance", unguided: false } : null;
  };
  livePart(place("live-part"), { ...common, key: "live", agents: withoutMemory, settings: OF_CELLS, baselineOf });
}
if (withMemory.length) {
  const baselineOf = (agent) => ({ agent, label: "the same, unguided", caption: "the same agent without guidance", unguided: true });
  livePart(place("memory-part"), { ...common, key: "memory", agents: withMemory, settings: ["strength"], baselineOf });
}
const recorded = data.agents.filter((one) => one.recorded);
if (recorded.length) {
  startReplay(place("recorded-part"), recorded.map((one, arm) => ({ ...one.recorded, arm })), (arm) => recorded[arm].label);
}
trainingPart(place("training-part"), { ...common, training: data.training, kernels: data.kernels, source: place("engine").textContent });
fieldPart(place("field-part"), { address: common.address, settings: data.field, ranges: data.ranges });

for (const link of document.querySelectorAll("nav a, a.skip")) {
  link.addEventListener("click", (event) => {
    event.preventDefault(); // the address holds what the controls are set to
    const section = document.querySelector(link.getAttribute("href"));
    section.scrollIntoView();
    section.querySelector("h2").focus();
  });
}
