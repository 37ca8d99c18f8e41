/** The operators' page: files that `npm run build` made of src/web, each a route. What it shows it asks for at `/rpc`. */

import { existsSync, readFileSync } from 'node:fs';
import type { OutgoingHttpHeaders } from 'node:http';
import { type HttpRoute, READ } from '../wire/index.js';

/** dist/web, beside dist/rpc. */
const BUILT = new URL('../../web/', import.meta.url);

const FILES = [
  { paths: ['/ui', '/ui/'], file: 'index.html', type: 'text/html; charset=utf-8' },
  { paths: ['/ui/app.js'], file: 'app.js', type: 'text/javascript; charset=utf-8' },
  { paths: ['/ui/app.css'], file: 'app.css', type: 'text/css; charset=utf-8' },
  { paths: ['/ui/icon.svg'], file: 'icon.svg', type: 'image/svg+xml' },
] as const;

/** Nothing but what this listener serves, nothing inline, in no frame of anybody (CSP level 3). */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: OutgoingHttpHeaders = {
  'Content-Security-Policy': POLICY,
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** The routes; empty where the page was not built. */
export function pageRoutes(): readonly HttpRoute[] {
  if (FILES.some(({ file }) => !existsSync(new URL(file, BUILT)))) return [];
  return FILES.flatMap(({ paths, file, type }) => {
    const body = readFileSync(new URL(file, BUILT));
    return paths.map((path): HttpRoute => {
      return {
        // The files say nothing about anybody; a browser cannot show a token for them.
        ...{ path, methods: READ, role: undefined },
        handle: (_, response, __, send) => send(response, 200, body, { ...HEADERS, 'Content-Type': type }),
      };
    });
  });
}
