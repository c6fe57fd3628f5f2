// An agent of the page for so many steps, pushed and painted; gives what was seen, thought and done at each.
([written, constants, steps, pushes, paints]) => {
    const agent = readAgent(written), knobs = knobsOf(agent), random = makeRandom(5);
    const names = ["cart", "push", "after", "seen", "network", "readout", "blended", "action", "activator", "fallen"];
    const columns = Object.fromEntries(names.map((name) => [name, []]));
    const plain = (value) => (typeof value === "object" ? Array.from(value) : value);
    let episode = beginEpisode(agent, knobs, startCart(random));
    for (let t = 0; t < steps; t++) {
        for (const [entry, value] of paints[t] || []) episode.cells.activator[entry] = value;
        const push = pushes[t] || [0, 0, 0, 0];
        const { thought, episode: after } = stepEpisode(agent, knobs, constants, episode, null, push);
        const activator = after.cells?.activator ?? [];
        const row = { cart: episode.cart, push, after: after.cart, ...thought, activator, fallen: after.fallen };
        for (const [name, column] of Object.entries(columns)) column.push(plain(row[name]));
        // A fallen pole is put up again; what the cell holds stays, for a thousand steps without a break.
        episode = after.fallen ? { ...beginEpisode(agent, knobs, startCart(random)), cells: after.cells } : after;
    }
    return columns;
}
