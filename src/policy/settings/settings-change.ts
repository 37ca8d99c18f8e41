import { shortened } from '../../printable.js';
import type { DaemonSettings } from './daemon-settings.js';

/** Longest value that a warning quotes. */
const MOST_VALUE = 80;

/**
 * A line for each setting of `daemon:` that differs from what siptrustd was started with: it runs with the old one until
 * it is started again.
 */
export function changedSettings(running: DaemonSettings, loaded: DaemonSettings): readonly string[] {
  return changes('daemon', running, loaded);
}

/** What runs after a load: the settings of the start, but for what listeners and whoever reads a policy take from the new ones. */
export function runningSettings(started: DaemonSettings, loaded: DaemonSettings): DaemonSettings {
  const access = { ...started.access, certificates: loaded.access.certificates };
  return { ...started, access, policyKeys: loaded.policyKeys, limits: loaded.limits };
}

function changes(path: string, running: unknown, loaded: unknown): string[] {
  if (isGroup(running) && isGroup(loaded)) {
    const keys = [...new Set([...Object.keys(running), ...Object.keys(loaded)])];
    return keys.flatMap((key) => changes(`${path}.${policyKey(key)}`, running[key], loaded[key]));
  }
  const [before, after] = [shown(path, running), shown(path, loaded)];
  if (before === after) return [];
  const [was, is] = [shortened(before, MOST_VALUE), shortened(after, MOST_VALUE)];
  return [`${path}: takes effect when siptrustd is started again; it runs with ${was}, found ${is}`];
}

/** A mapping of settings; an address with its port is one value. */
function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('address' in value);
}

function shown(path: string, value: unknown): string {
  if (value === undefined) return 'none';
  if (typeof value === 'object' && value !== null && 'address' in value && 'port' in value) {
    return `${value.address} port ${value.port}`;
  }
  // Permissions, as the policy file has them.
  if (typeof value === 'number' && path.endsWith('_mode')) return JSON.stringify(value.toString(8).padStart(4, '0'));
  return JSON.stringify(value);
}

/** `fifoReplyDir` is `fifo_reply_dir` in the policy file. */
function policyKey(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
