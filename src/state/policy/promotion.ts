import { chmodSync, chownSync, copyFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Policy, policyDifferencesInSteps } from '../../policy/snapshot/index.js';
import { inSlices } from '../work/index.js';

/** Why a candidate was not put in the place of the policy; the file is as it was. */
export class PromotionError extends Error {}

export interface Promotion {
  /** The candidate. */
  readonly file: string;
  /** The policy file of the daemon. */
  readonly config: string;
  /** What the candidate must still mean when it is promoted. */
  readonly judged: Policy;
  /** Reads a policy. May throw. */
  readonly load: (file: string) => Policy | Promise<Policy>;
  /** Has the daemon read its policy file. Throws where it does not take it. */
  readonly reload: () => Promise<{ readonly revision: number }>;
}

/**
 * Copies the candidate over the policy file and has the daemon read it: a restart finds what is in force. Where either does
 * not take it, the file is as it was.
 * @throws {PromotionError | unknown} nothing was changed; what `load` and `reload` throw comes as it is
 */
export async function promote({ file, config, judged, load, reload }: Promotion) {
  // The candidate was read by its whole path; siptrustd may have been started with another one for its policy.
  const made = join(dirname(resolve(config)), '.siptrust-promoted.yaml');
  const previous = `${config}.previous`;
  try {
    copyFileSync(file, made);
    // Paths in it are relative to the file: in another directory they may lead elsewhere. And it may have been written to.
    const copied = await load(made);
    const { rows } = await inSlices(policyDifferencesInSteps(judged, copied, 1));
    const [other] = rows;
    if (other !== undefined) {
      const { subject, key } = other;
      throw new PromotionError(
        `${file}: expected the same policy in ${dirname(config)}, found another ${subject} ${key}`,
      );
    }
    copyFileSync(config, previous);
    replace(config, made);
  } catch (cause) {
    rmSync(made, { force: true });
    if (!isSystemError(cause)) throw cause;
    throw new PromotionError(`${config} was not replaced: ${cause.message}`, { cause });
  }
  try {
    const { revision } = await reload();
    return { promoted: file, config, previous, revision };
  } catch (cause) {
    copyFileSync(previous, made);
    replace(config, made);
    throw cause;
  }
}

/** Puts a file in the place of another, with the owner and the mode of that one. */
function replace(config: string, made: string): void {
  const { mode, uid, gid } = statSync(config);
  chownSync(made, uid, gid);
  chmodSync(made, mode & 0o777);
  renameSync(made, config);
}

function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}
