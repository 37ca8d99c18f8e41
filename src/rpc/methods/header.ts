import { z } from 'zod';
import { type Column, effectiveRules, HEADER_POLICY } from '../../sip/table/index.js';
import type { Of } from '../../state/trust/index.js';
import { defineMethod, type Method } from '../dispatch/index.js';
import { agreementNamed } from './agreement.js';

const COLUMN: Readonly<Record<Column, string>> = {
  in: 'untrusted_in',
  out: 'untrusted_out',
  trustedIn: 'trusted_in',
  trustedOut: 'trusted_out',
};

/** The header table as it is in force. */
export function headerMethods(state: Of<'policy'>): Method[] {
  return [
    defineMethod({
      name: 'header.list',
      role: 'viewer',
      doc: 'The header table in force, for strangers or under an agreement: what goes and what stays, with the clause',
      params: z.strictObject({ agreement: z.string().optional() }),
      positional: ['agreement'],
      handler: ({ agreement: name }) => {
        const { snapshot } = state.policy;
        const agreement = name === undefined ? undefined : agreementNamed(name, snapshot);
        return effectiveRules(agreement, snapshot.privacy).map(({ rule, overridden, ...actions }) => ({
          name: rule.name,
          kind: rule.kind,
          within: rule.within,
          applies: rule.applies,
          methods: rule.methods,
          untrusted_in: actions.in,
          untrusted_out: actions.out,
          trusted_in: actions.trustedIn ?? '',
          trusted_out: actions.trustedOut ?? '',
          overrides: overridden.map((column) => COLUMN[column]),
          condition: rule.condition,
          clause: rule.clause,
          policy: HEADER_POLICY,
        }));
      },
    }),
  ];
}
