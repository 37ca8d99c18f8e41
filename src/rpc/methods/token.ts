import { z } from 'zod';
import { CREDENTIAL_NAME } from '../../policy/kinds/index.js';
import { ROLES } from '../../policy/settings/index.js';
import { StoreError } from '../../state/store/index.js';
import { TokenFileError, TokenRefusal, type Tokens } from '../access/index.js';
import { type CallContext, defineMethod, type Method, RpcError } from '../dispatch/index.js';

const name = z.string().regex(CREDENTIAL_NAME, 'at most 64 letters, digits, ".", "_" and "-"');

/** Credentials for HTTP. Made on this machine alone: a stolen token is no way to get another. */
export function tokenMethods(tokens: Tokens | undefined): Method[] {
  async function local<T>({ wire }: CallContext, act: (tokens: Tokens) => T | Promise<T>): Promise<T> {
    if (wire !== 'unix' && wire !== 'fifo') throw new RpcError('forbidden');
    if (tokens === undefined) throw new RpcError('unavailable', 'no tokens are taken: daemon.access.tokens is off');
    try {
      return await act(tokens);
    } catch (error) {
      if (error instanceof TokenRefusal || error instanceof TokenFileError || error instanceof StoreError) {
        throw new RpcError('unavailable', error.message);
      }
      throw error;
    }
  }

  return [
    defineMethod({
      name: 'token.add',
      role: 'operator',
      doc: 'Makes a bearer token for HTTP and shows it, this once',
      params: z.strictObject({ name, role: z.enum(ROLES) }),
      positional: ['name', 'role'],
      handler: (params, context) => local(context, (all) => all.add(params.name, params.role)),
    }),
    defineMethod({
      name: 'token.list',
      role: 'operator',
      doc: 'The bearer tokens that are taken: name, role, when they were made',
      params: z.strictObject({}),
      handler: (_, context) => local(context, (all) => all.list()),
    }),
    defineMethod({
      name: 'token.revoke',
      role: 'operator',
      doc: 'Takes a bearer token back, from the next request on',
      params: z.strictObject({ name }),
      positional: ['name'],
      handler: (params, context) =>
        local(context, async (all) => {
          const revoked = await all.revoke(params.name);
          if (revoked === undefined) throw new RpcError('not-found', `no token is named "${params.name}"`);
          return revoked;
        }),
    }),
  ];
}
