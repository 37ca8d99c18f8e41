/** What the compiler is told and cannot check: `as`, `!` and `any`, counted by TypeScript itself. */

import { isAsExpression, isNonNullExpression, SyntaxKind } from 'typescript/unstable/ast';
import { describe, expect, test } from 'vitest';
import { eachNode } from '../support/source-tree.js';

/** Files that may say `as`, each with the cause: readers of octets, and what comes out of a library, a database, another thread. */
const MAY: Readonly<Record<string, string>> = {
  'x509/der/der.ts': 'the reader of DER looks at single octets within the bounds that it has just checked',
  'x509/der/time.ts': 'two digits of a time of DER, whose length was checked; without an octet they are NaN',
  'x509/revocation/crl-entries.ts': 'a search through a million entries, by indexes within its bounds',
  'net/dns/message.ts': 'dns-packet types the data of a record by no more than the name of its type',
  'net/dns/answer.ts': 'answers are kept by type and name: what is found under a type is of that type',
  'policy/yaml/document.ts': 'the YAML library types what a node holds as unknown',
  'policy/settings/key.ts': 'what is made of the rows of a table has the types of the rows',
  'policy/agreement/keys.ts': 'as settings/key.ts: the schema of an agreement is made of the rows',
  'policy/agreement/agreement.ts': 'as settings/key.ts: an agreement is made row by row',
  'policy/agreement/memory.ts': 'one memory for all kinds of files; the kind says what of',
  'policy/material/material.ts': 'one memory for certificates and lists; the key says which',
  'policy/snapshot/agreement-list.ts': 'octets that the other thread has made of the types that they become again',
  'state/store/sqlite-writer.ts': 'what a thread is started with',
  'state/store/sqlite-rows.ts': 'rows of STRICT tables, raw or plucked, which the types of better-sqlite3 do not know',
  'state/postgres/client.ts': 'rows have the columns that the statement beside them asks for',
  'state/postgres/migrate.ts': 'as client.ts',
  'state/tables/stored-audit.ts': 'lines of our own that wait in the state file',
  'rpc/dispatch/dispatcher.ts': 'jayson hands requests, contexts and errors through without their types',
  'web/daemon/rpc.ts': 'the page takes the answers of its own siptrustd as docs/rpc.md has them',
};

describe('what the compiler cannot check', () => {
  const found = {
    as: new Map<string, string[]>(),
    bang: new Map<string, string[]>(),
    any: new Map<string, string[]>(),
  };
  eachNode((node, file, source) => {
    const into =
      (isAsExpression(node) && node.type.getText(source) !== 'const') ||
      node.kind === SyntaxKind.TypeAssertionExpression
        ? found.as
        : isNonNullExpression(node)
          ? found.bang
          : node.kind === SyntaxKind.AnyKeyword
            ? found.any
            : undefined;
    into?.set(file, [...(into.get(file) ?? []), node.getText(source)]);
  });
  const of = (kind: keyof typeof found) => Object.fromEntries(found[kind]);

  test('ok/`as` stands where a cause is named, and no cause outlives its need', () => {
    const others = Object.entries(of('as')).filter(([file]) => !(file in MAY));
    expect(Object.fromEntries(others)).toEqual({});
    expect(Object.keys(of('as')).sort()).toEqual(Object.keys(MAY).sort());
  });
  test('ok/nothing is said to be there with `!`, and nothing is `any`', () => {
    expect(of('bang')).toEqual({});
    expect(of('any')).toEqual({});
  });
});
