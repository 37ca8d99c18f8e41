import { z } from 'zod';
import type { AuditLog } from '../../log/index.js';
import { defineMethod, type Method } from '../dispatch/index.js';
import { wholeNumber } from '../params/index.js';

/** What operators did. */
export function auditMethods(audit: AuditLog): Method[] {
  return [
    defineMethod({
      name: 'audit.list',
      role: 'viewer',
      doc: 'The latest changes that operators asked for, the newest first: who, from where, what, and what came of it',
      params: z.strictObject({ limit: wholeNumber(1, 200).optional() }),
      positional: ['limit'],
      handler: ({ limit = 100 }) => audit.recent().slice(0, limit),
    }),
  ];
}
