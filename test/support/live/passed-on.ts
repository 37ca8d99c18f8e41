/** What route(SIPTRUST_TELL) left in the variables of the script, as test/support/live/demo.cfg logs it for each INVITE. */

/** What the log says about these calls; undefined until all are there. */
export function passedOn(log: string, callIds: readonly string[]): { verdict: string; reasons: string[] } | undefined {
  const lines = callIds.map((callId) => log.split('\n').find((line) => line.includes(`passed-on call-id=${callId} `)));
  if (lines.includes(undefined)) return undefined;
  const verdicts = new Set(lines.map((line) => (line?.includes(' trusted=1 ') ? 'trusted' : 'untrusted')));
  const reasons = lines.map((line) => / reason=(\S+) end/.exec(line ?? '')?.[1] ?? '');
  return { verdict: [...verdicts].join(' and '), reasons: [...new Set(reasons)] };
}
