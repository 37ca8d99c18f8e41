/** What an HTTP listener answers besides `/rpc` and `/health`: one row a path. */

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Role } from '../../policy/settings/index.js';
import type { Caller } from '../access/index.js';

/** Answers with a status and a body, JSON unless the headers say otherwise; nothing where the client is gone. */
export type Send = (
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  headers?: OutgoingHttpHeaders,
) => void;

export interface HttpRoute {
  readonly path: string;
  readonly methods: readonly string[];
  /** The least role that may ask; undefined: everybody who reaches the listener. */
  readonly role: Role | undefined;
  /** Its answers have no end of their own: the listener ends them when it closes. */
  readonly endless?: true;
  /**
   * Rejections count as 500.
   * @param still whether whoever asked may still ask
   */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    caller: Caller,
    send: Send,
    still: () => boolean | Promise<boolean>,
  ): void | Promise<void>;
}

export const READ = ['GET', 'HEAD'] as const;
