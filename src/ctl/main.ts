#!/usr/bin/env node
/**
 * siptrustctl: asks a running siptrustd, or answers JSON Lines on standard input without one.
 * Exit codes: 0 answered, 1 the answer is an error, 2 the command line or the connection is wrong.
 */

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { loadPolicy } from '../policy/loader.js';
import { CallError, call } from '../rpc/client.js';
import { identityRecord, offlineAnswers } from '../rpc/offline.js';
import { CertificateCache } from '../state/certificate-cache.js';
import { PolicyHolder } from '../state/policy-holder.js';
import { VERSION } from '../version.js';
import { describeCertificate } from '../x509/describe.js';
import { verifyRecord } from '../x509/verify-record.js';
import { DAEMON_COMMANDS, paramsOf, renderAnswer } from './commands.js';
import { answerLines } from './json-lines.js';
import { render, renderExplanation } from './render.js';
