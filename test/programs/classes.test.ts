/** What classes of src show to others, counted by TypeScript itself. */

import {
  type ClassElement,
  isClassDeclaration,
  isClassExpression,
  isGetAccessorDeclaration,
  isIdentifier,
  isMethodDeclaration,
  isPropertyDeclaration,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { describe, expect, test } from 'vitest';
import { eachNode } from '../support/source-tree.js';

const MOST = 8;

/** Classes that show more, each with the cause. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  DerReader: 'one method for each type of DER that is read: X.690, not a choice of ours',
  AgreementList: 'Agreements, as answers know it, and the tables that are made of it',
  Draft: 'the edits of one message on the way to its plan; each check uses two or three',
  Cursor: 'a place in a text: what stands there, and steps from it to the next thing',
  Values: 'one piece of an expression each, which Lines puts together',
  FetchedSource: 'one row of the job queue: its fields are what crl.list and the store show of it',
  CrlSource:
    'one row of the shelf: who names the URL, whose list may stand there, the lists that came, and by what a newer one is asked for',
  Revocation: 'RevocationSource, which others know it by, and start and close',
  Pins: 'what verdicts, methods and metrics each know by a narrower interface, in one place since one lock guards them',
  Database: 'one connection that comes and goes: what is asked of it, and how it stands',
  FleetDatabase: 'one method for each statement; Follower and methods know a few each',
  SqliteStore: 'Store, TlsSeenStore, CertificateStore and WaitingLines in one file: others know one of them each',
  SharedStore: 'as SqliteStore, over the store of a fleet',
};

const HIDDEN: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.PrivateKeyword,
  SyntaxKind.ProtectedKeyword,
  // A way to make one: no more than a constructor.
  SyntaxKind.StaticKeyword,
]);

function shown(members: readonly ClassElement[]): readonly string[] {
  const names = members.flatMap((member) => {
    if (!(isMethodDeclaration(member) || isPropertyDeclaration(member) || isGetAccessorDeclaration(member))) return [];
    if (member.modifiers?.some(({ kind }) => HIDDEN.has(kind))) return [];
    return isIdentifier(member.name) ? [member.name.text] : [];
  });
  return [...new Set(names)];
}

/** Each class of src with the names of what it shows, without constructors. */
function classes(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  eachNode((node) => {
    if (isClassDeclaration(node) || isClassExpression(node)) found.set(node.name?.text ?? '', shown([...node.members]));
  });
  return found;
}

describe('a class', () => {
  test('ok/shows eight members at the most, unless a cause is named; no cause outlives its need', () => {
    const found = classes();
    expect(found.size).toBeGreaterThan(40);
    const large = [...found].filter(([, members]) => members.length > MOST).map(([name]) => name);
    expect(large.sort()).toEqual(Object.keys(EXCEPTIONS).sort());
  });
});
