import { z } from 'zod';
import { effectiveRules, HEADER_POLICY } from '../../sip/boundary.js';
import type { TrustState } from '../../state/trust-state.js';
import { RpcError } from '../errors.js';
import { defineMethod, type Method } from '../method.js';

/** The header table as it is in force. */
export function headerMethods(state: TrustState): Method[] {
  return [
    defineMethod({
      name: 'header.list',
      doc: 'The header table in force, for strangers or under an agreement: what goes and what stays, with the clause',
      params: z.strictObject({ agreement: z.string().optional() }),
      positional: ['agreement'],
      handler: ({ agreement: name }) => {
        const { agreements, privacy } = state.snapshot;
        const agreement = agreements.find((each) => each.name === name);
        if (name !== undefined && agreement === undefined) {
          throw new RpcError('not-found', `no agreement is named "${name}"`);
        }
        return effectiveRules(agreement, privacy).map(({ rule, overridden, ...actions }) => ({
          name: rule.name,
          kind: rule.kind,
          applies: rule.applies,
          untrusted_in: actions.in,
          untrusted_out: actions.out,
          trusted_in: actions.trustedIn ?? '',
          trusted_out: actions.trustedOut ?? '',
          overridden: overridden ? 1 : 0,
          clause: rule.clause,
          policy: HEADER_POLICY,
        }));
      },
    }),
  ];
}
