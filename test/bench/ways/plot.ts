/** Dot plots as SVG: one row for each thing, its median as a dot, its least and largest as a line; a logarithmic scale. */

import type { Spread } from './results.js';

export interface Panel {
  readonly title: string;
  readonly rows: readonly { readonly name: string; readonly spread: Spread }[];
}

const LEFT = 310;
const WIDTH = 910;
const RIGHT = 70;
const ROW = 22;
const HEAD = 44;
const FOOT = 34;

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}

/** Powers of ten around all values. */
function bounds(rows: Panel['rows']): readonly [number, number] {
  const values = rows.flatMap(({ spread }) => [spread.least, spread.largest]).filter((value) => value > 0);
  const low = 10 ** Math.floor(Math.log10(Math.min(...values)));
  return [low, Math.max(10 ** Math.ceil(Math.log10(Math.max(...values))), low * 10)];
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2);
}

function panelHeight({ rows }: Panel): number {
  return HEAD + rows.length * ROW + FOOT;
}

function drawn({ title, rows }: Panel, top: number): string[] {
  const [low, high] = bounds(rows);
  const x = (value: number) =>
    LEFT + ((WIDTH - LEFT - RIGHT) * Math.log10(Math.max(value, low) / low)) / Math.log10(high / low);
  const bottom = top + HEAD + rows.length * ROW;
  const lines = [`<text x="8" y="${top + 24}" class="title">${escaped(title)}</text>`];
  for (let tick = low; tick <= high * 1.0001; tick *= 10) {
    const at = x(tick).toFixed(1);
    lines.push(`<line x1="${at}" x2="${at}" y1="${top + HEAD - 8}" y2="${bottom}" class="grid"/>`);
    lines.push(`<text x="${at}" y="${bottom + 16}" class="tick">${number(tick)}</text>`);
  }
  for (const [at, { name, spread }] of rows.entries()) {
    const y = top + HEAD + at * ROW + ROW / 2;
    const [least, median, largest] = [spread.least, spread.median, spread.largest].map((value) => x(value).toFixed(1));
    lines.push(
      `<text x="${LEFT - 10}" y="${y + 4}" class="name">${escaped(name)}</text>`,
      `<line x1="${least}" x2="${largest}" y1="${y}" y2="${y}" class="range"/>`,
      `<circle cx="${median}" cy="${y}" r="4"/>`,
      `<text x="${Number(largest) + 8}" y="${y + 4}" class="value">${number(spread.median)}</text>`,
    );
  }
  return lines;
}

/** The panels, one below the other. */
export function plot(panels: readonly Panel[]): string {
  let top = 0;
  const parts: string[] = [];
  for (const panel of panels) {
    parts.push(...drawn(panel, top));
    top += panelHeight(panel);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img">
<title>${escaped(panels.map(({ title }) => title).join('; '))}</title>
<style>
  text { font: 12px sans-serif; fill: #222 } .title { font-weight: bold; font-size: 14px } .name { text-anchor: end }
  .tick { text-anchor: middle; fill: #666 } .value { fill: #666 } .grid { stroke: #ddd } .range { stroke: #2b6cb0; stroke-width: 2 }
  circle { fill: #2b6cb0 }
</style>
<rect width="100%" height="100%" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
}
