/** The syntax of all of src, as TypeScript itself reads it; that of the page is a project of its own. */

import { join, relative } from 'node:path';
import type { Node, SourceFile } from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

const ROOT = join(import.meta.dirname, '../..');
const PROJECTS = ['tsconfig.json', 'src/web/tsconfig.json'];

/** Shows each node of each file, by its path in src, once. */
export function eachNode(visit: (node: Node, file: string, source: SourceFile) => void): void {
  const seen = new Set<string>();
  const api = new API({ cwd: ROOT });
  try {
    const openProjects = PROJECTS.map((name) => join(ROOT, name));
    for (const { program } of api.updateSnapshot({ openProjects }).getProjects()) {
      for (const name of program.getSourceFileNames()) {
        const file = relative(join(ROOT, 'src'), name);
        const source = file.startsWith('..') || seen.has(file) ? undefined : program.getSourceFile(name);
        if (source === undefined) continue;
        seen.add(file);
        const look = (node: Node): void => {
          visit(node, file, source);
          node.forEachChild((child) => {
            look(child);
            return undefined;
          });
        };
        look(source);
      }
    }
  } finally {
    api.close();
  }
}
