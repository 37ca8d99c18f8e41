/** The YAML files of a policy: the main file and what it includes, each split into its sections. */

import { saidOf } from '../../printable.js';
import type { PolicyMemory } from '../agreement/index.js';
import {
  checkShape,
  type FileRead,
  inWords,
  isGlob,
  isUnsupportedGlob,
  normalPath,
  type PolicyFiles,
  resolvePath,
  Site,
  tooLarge,
  unknownKeys,
} from '../reading/index.js';
import { KEY_HOMES, SECTIONS, type SectionName } from '../settings/index.js';
import { EntryList, type PolicyDocument, readDocument } from '../yaml/index.js';

/** A section of one file. */
export interface Section {
  readonly value: unknown;
  readonly site: Site;
}

/** All files together, the main file first and the others sorted by path. */
export interface PolicySources {
  /** The sections of this name, one for each file that has it. */
  sections(name: SectionName): readonly Section[];
  /** How many files there are. */
  readonly files: number;
  /** The place of a section in the main file, there or not. */
  mainSite(name: SectionName): Site;
}

/** What an included file may hold; the rest is said once, in the main file. */
const INCLUDABLE: ReadonlySet<string> = new Set<SectionName>([
  'own_domains',
  'own_certificates',
  'interfaces',
  'agreements',
]);

/** The main file alone, which says what the others may be. */
export interface MainFile {
  readonly path: string;
  readonly root: Site;
  readonly sections: Sections;
}

/** How many files there may be, and how many octets each but the main one may have. */
export interface SourceLimits {
  readonly files: number;
  readonly file: number;
}

/** Reads the main file, of at most `most` octets; problems are those of the memory. Gives undefined, and has said why, where there is none. */
export function readMain(files: PolicyFiles, path: string, most: number, memory: PolicyMemory): MainFile | undefined {
  const start = () => ({ file: path, line: 1, column: 1 });
  const { problems } = memory;
  const read = readFile(files, path, most, memory);
  if ('code' in read) {
    problems.add(read.code, start, [], saidOf(path, read.problem));
    return undefined;
  }
  if (read.warning !== undefined) problems.add('unsafe-directory', start, [], read.warning);
  const { root, sections } = read;
  return root && sections && { path, root, sections };
}

/** The section of this name in the main file. */
export function mainSection({ sections }: MainFile, name: SectionName): Section | undefined {
  return sections.find(([each]) => each === name)?.[1];
}

/** Reads all that the main file includes. */
export function readSources(
  files: PolicyFiles,
  main: MainFile,
  limits: SourceLimits,
  memory: PolicyMemory,
): PolicySources {
  const all = [main.sections, ...includedSections(files, main, limits, memory)];
  const byName = new Map<SectionName, Section[]>();
  for (const sections of all) {
    for (const [name, section] of sections) {
      const known = byName.get(name);
      if (known === undefined) byName.set(name, [section]);
      else known.push(section);
    }
  }
  return {
    sections: (name) => byName.get(name) ?? [],
    files: all.length,
    mainSite: (name) => main.root.at(name),
  };
}

/** A file in its sections; undefined, which has been reported, where it has none. */
interface SectionsRead {
  readonly root: Site | undefined;
  readonly sections: Sections | undefined;
  readonly octets: number;
  readonly warning?: string;
}

type Refused = Extract<FileRead, { readonly code: string }>;

/** @param includedBy the main file, where this is another one */
function readFile(
  files: PolicyFiles,
  path: string,
  most: number,
  memory: PolicyMemory,
  includedBy?: string,
): SectionsRead | Refused {
  const { problems } = memory;
  const known = memory.file<SectionsRead | Refused>(files, includedBy === undefined ? 'main' : 'included', path, () => {
    const read = files.read(path, most);
    if (!('bytes' in read)) return { value: read };
    const { value: split, said } = problems.during(() => {
      const document = readDocument(path, read.bytes, problems);
      const root = document && new Site(document, problems);
      const sections = document && root && splitSections(document, root, includedBy);
      return { root, sections, octets: read.bytes.length };
    });
    const value = read.warning === undefined ? split : { ...split, warning: read.warning };
    // A file with a fault is read again, to say so again.
    return said.length > 0 || read.stamp === undefined ? { value } : { value, stamp: read.stamp };
  });
  // It may have been read under another limit.
  return 'code' in known || known.octets <= most ? known : tooLarge(path, known.octets, most);
}

export type Sections = readonly (readonly [SectionName, Section])[];

function splitSections({ value }: PolicyDocument, root: Site, includedBy?: string): Sections | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    root.report('wrong-type', `expected a mapping of policy keys, found ${inWords(value)}`);
    return undefined;
  }
  const sections: [SectionName, Section][] = [];
  const unknown: string[] = [];
  for (const [key, section] of Object.entries(value)) {
    if (!isSectionName(key)) {
      unknown.push(key);
    } else if (includedBy !== undefined && !INCLUDABLE.has(key)) {
      root.at(key).report('misplaced-key', `the key belongs into the main file ${includedBy}`, 'key');
    } else if (section !== null) {
      // A section whose entries are all commented out is as good as none.
      // Of long lists none but this one is read entry by entry.
      const whole = section instanceof EntryList && key !== 'agreements';
      sections.push([key, { value: whole ? [...section] : section, site: root.at(key) }]);
    }
  }
  if (unknown.length > 0) unknownKeys(unknown, Object.keys(SECTIONS), root, KEY_HOMES);
  return sections;
}

function isSectionName(key: string): key is SectionName {
  return Object.hasOwn(SECTIONS, key);
}

function includedSections(
  files: PolicyFiles,
  main: MainFile,
  limits: SourceLimits,
  memory: PolicyMemory,
): readonly Sections[] {
  const include = mainSection(main, 'include');
  const value = include && checkShape(SECTIONS.include, include.value, include.site);
  if (!include || value === undefined) return [];
  const patterns = Array.isArray(value)
    ? value.map((pattern, index) => ({ pattern, site: include.site.at(index) }))
    : [{ pattern: value, site: include.site }];

  const self = normalPath(main.path);
  const paths = new Map<string, Site>();
  for (const { pattern, site } of patterns) {
    for (const path of includedPaths(pattern, site, files, main.path, memory)) {
      if (path !== self && !paths.has(path)) paths.set(path, site);
    }
  }
  if (paths.size >= limits.files) {
    const expected = `expected at most ${limits.files} policy files with this one (daemon.limits.files)`;
    include.site.report('too-complex', `${expected}, found ${paths.size + 1}`);
    return [];
  }
  return [...paths.keys()].sort().map((path) => {
    const read = readFile(files, path, limits.file, memory, main.path);
    if ('code' in read) {
      paths.get(path)?.report(read.code, read.problem);
      return [];
    }
    if (read.warning !== undefined) paths.get(path)?.report('unsafe-directory', read.warning);
    return read.sections ?? [];
  });
}

function includedPaths(
  pattern: string,
  site: Site,
  files: PolicyFiles,
  main: string,
  memory: PolicyMemory,
): readonly string[] {
  if (isUnsupportedGlob(pattern)) {
    site.report('bad-value', `expected a path in which only "*" and "?" are special, found ${JSON.stringify(pattern)}`);
    return [];
  }
  const path = resolvePath(main, pattern);
  if (!isGlob(pattern)) return [path];
  const { found, problems } = memory.expand(path, files);
  for (const problem of problems) site.report('unreadable', problem);
  if (found.length === 0 && problems.length === 0)
    site.report('no-match', `${JSON.stringify(pattern)} matches no file`);
  return found;
}
