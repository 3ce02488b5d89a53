// Parses each Mermaid file with Mermaid and renders each SVG file, and fails at the first that is wrong.
import { readFileSync } from "node:fs";
import { Resvg } from "@resvg/resvg-js";
import { JSDOM } from "jsdom";

// Mermaid cleans labels with a browser's document.
globalThis.window = new JSDOM("").window;
globalThis.document = window.document;
const { default: mermaid } = await import("mermaid");

// A renderer that does not read a colour draws black.
function coloursOf(svg) {
    const { pixels } = new Resvg(svg).render();
    const colours = new Map();
    for (let at = 0; at < pixels.length; at += 4) {
        const colour = pixels.subarray(at, at + 3).toString("hex");
        colours.set(colour, (colours.get(colour) ?? 0) + 1);
    }
    const paper = (colours.get("ffffff") ?? 0) / (pixels.length / 4);
    const black = (colours.get("000000") ?? 0) / (pixels.length / 4);
    if (paper < 0.2 || black > 0.2) {
        throw new Error(`${Math.round(paper * 100)} % is paper, and ${Math.round(black * 100)} % is black`);
    }
    return `${colours.size} colours`;
}

for (const file of process.argv.slice(2)) {
    try {
        const text = readFileSync(file, "utf8");
        const found = file.endsWith(".svg") ? coloursOf(text) : (await mermaid.parse(text)).diagramType;
        console.log(`${file}: ${found}`);
    } catch (error) {
        console.error(`${file}: ${error}`);
        process.exit(1);
    }
}
