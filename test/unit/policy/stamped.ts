import { type FileRead, filesInMemory, type PolicyFiles } from '../../../src/policy/reading/files.js';

/** Files whose stamp is their content, with a list of what was read. */
export class Stamped implements PolicyFiles {
  readonly content: Record<string, string | Uint8Array>;
  reads: string[] = [];

  constructor(content: Readonly<Record<string, string | Uint8Array>>) {
    this.content = { ...content };
  }

  read(path: string, most: number): FileRead {
    this.reads.push(path);
    const read = filesInMemory(this.content).read(path, most);
    return 'bytes' in read ? { ...read, stamp: this.stamp(path) } : read;
  }

  stamp(path: string): string {
    return String(this.content[path]);
  }

  list(directory: string): readonly string[] | undefined {
    return filesInMemory(this.content).list(directory);
  }
}
