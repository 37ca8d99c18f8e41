/** The door of this room: what siptrustctl reads and writes: lines, tables, new files, refusals. */

export { renderCandidate, renderDifferences } from './differences.js';
export { Refusal } from './failure.js';
export { headerMarkdown, headerRows, headerTable } from './header-table.js';
export { helpCommand } from './help.js';
export { answerLines, eachLine, eachRecord } from './json-lines.js';
export {
  renderAudit,
  renderDecisions,
  renderExpiry,
  renderHistory,
  renderHops,
  renderLists,
  renderNodes,
  renderPartners,
  renderPins,
  renderStatus,
} from './listings.js';
export { makeFiles, type NewFile, requireFolder } from './new-files.js';
export { endWithOutput } from './output-end.js';
export { namedFile, namedText, regularFile } from './regular-file.js';
export { render, renderExplanation } from './render.js';
export { type Ask, collect, type Print } from './tools.js';
export { visibleJson, visibleLines } from './visible.js';
