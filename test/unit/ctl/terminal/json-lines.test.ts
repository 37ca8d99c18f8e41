import { Readable, Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { program } from '../../../../src/ctl/program.js';
import { Refusal } from '../../../../src/ctl/terminal/failure.js';
import { answerLines } from '../../../../src/ctl/terminal/json-lines.js';

class Kept extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    // Slower than the answers come.
    setImmediate(done);
  }
  /** What was written, once all of it has arrived. */
  async lines(): Promise<unknown[]> {
    await new Promise<void>((resolve) => this.end(resolve));
    return this.text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }
}

async function answers(chunks: readonly (string | Uint8Array)[], longest?: number): Promise<unknown[]> {
  const output = new Kept();
  const input = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  await answerLines(
    input,
    output,
    (record) => {
      if (record === 'throw') throw new TypeError('thrown');
      return { record };
    },
    (why) => ({ why }),
    longest,
  );
  return output.lines();
}

const refused = { why: expect.stringMatching(/./) };
const rows: readonly (readonly [name: string, chunks: readonly (string | Uint8Array)[], answers: unknown[]])[] = [
  ['ok/one record', ['1\n'], [{ record: 1 }]],
  ['ok/without LF at the end', ['1\n2'], [{ record: 1 }, { record: 2 }]],
  ['ok/CRLF', ['1\r\n2\r\n'], [{ record: 1 }, { record: 2 }]],
  ['ok/a record in many pieces', ['[1', ',', '2]', '\n3\n'], [{ record: [1, 2] }, { record: 3 }]],
  ['ok/a character in two pieces', [Uint8Array.of(0x22, 0xc3), Uint8Array.of(0xa4, 0x22, 0x0a)], [{ record: 'ä' }]],
  ['ok/U+2028 ends no line', ['"a\u2028b"\n'], [{ record: 'a\u2028b' }]],
  ['ok/a lone CR ends no line', ['[1,\r2]\n'], [{ record: [1, 2] }]],
  ['fail/no JSON', ['{\n2\n'], [refused, { record: 2 }]],
  ['fail/a blank line is answered too', ['1\n\n2\n'], [{ record: 1 }, refused, { record: 2 }]],
  ['fail/octets that are no UTF-8', [Uint8Array.of(0xff, 0x0a), '2\n'], [refused, { record: 2 }]],
  ['fail/NUL', ['\0\n2\n'], [refused, { record: 2 }]],
  ['fail/an answer that throws', ['"throw"\n2\n'], [refused, { record: 2 }]],
];

describe('JSON Lines', () => {
  it.each(rows)('%s', async (_name, chunks, expected) => {
    expect(await answers(chunks)).toEqual(expected);
  });

  it('fail/nothing at all is no question', async () => {
    await expect(answers([''])).rejects.toThrow('expected one JSON object a line, found nothing');
  });

  it('ok/at a terminal it is said what is waited for, elsewhere nothing', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const terminal = Object.assign(Readable.from(['1\n']), { isTTY: true });
    for (const input of [terminal, Readable.from(['1\n'])]) await answerLines(input, new Kept(), String, String);
    expect(said.mock.calls).toEqual([['siptrustctl: waits for one JSON object a line; Ctrl-D ends\n']]);
    said.mockRestore();
  });

  it('fail/a line that is too long is told, the next one answered', async () => {
    expect(await answers([`"${'x'.repeat(90)}`, `${'x'.repeat(90)}"\n2\n`], 100)).toEqual([refused, { record: 2 }]);
  });

  it('fail/the daemon is gone: the command ends', async () => {
    const gone = () => {
      throw new Refusal('gone', 2);
    };
    await expect(answerLines(Readable.from(['1\n']), new Kept(), gone, (why) => why)).rejects.toThrow('gone');
  });
});

/** Lines that have broken readers of JSON, of PEM, or of what they hold. */
const HOSTILE: readonly string[] = [
  '',
  'null',
  'true',
  '[]',
  '{}',
  '{"pem":null}',
  '{"pem":5}',
  '{"pem":["x"]}',
  '{"pem":""}',
  '{"pem":"%"}',
  '{"pem":"%ff%fe"}',
  '{"pem":"AAAA"}',
  '{"pem":"MIIB"}',
  '{"pem_b64":"!"}',
  '{"pem":"a","pem_b64":"YQ=="}',
  '{"__proto__":{"pem":"x"}}',
  '{"leaf":"","intermediates":{},"anchors":5,"at":"x","purpose":"x","names":"x"}',
  '{"leaf":"","intermediates":[null],"anchors":[[]],"at":"2026-01-01T00:00:00Z","purpose":"any","names":[null]}',
  `{"at":"2026-01-01T00:00:00Z","purpose":"any","leaf":"x","max_depth":${'['.repeat(2000)}${']'.repeat(2000)}}`,
  `{"pem":${'{"pem":'.repeat(20_000)}1${'}'.repeat(20_000)}}`,
  '['.repeat(1_000_000),
  `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
  `{"pem":"-----BEGIN CERTIFICATE-----\\n${'A'.repeat(3_000_000)}\\n-----END CERTIFICATE-----"}`,
  `{"leaf":"${'-----BEGIN CERTIFICATE-----\\nMAA=\\n-----END CERTIFICATE-----\\n'.repeat(20_000)}","at":"2026-01-01T00:00:00Z","purpose":"any","anchors":[]}`,
  `{"leaf":"-----BEGIN CERTIFICATE-----\\n${Buffer.from(`30${'80'.repeat(1000)}`, 'hex').toString('base64')}\\n-----END CERTIFICATE-----","at":"2026-01-01T00:00:00Z","purpose":"any","anchors":[]}`,
];

describe.each(['verify', 'identity'])('siptrustctl %s', (command) => {
  it('fail/whatever stands in a line: one answer that grants nothing', { timeout: 60_000 }, async () => {
    const output = new Kept();
    const input = Readable.from([Buffer.from(HOSTILE.map((line) => `${line}\n`).join(''))]);
    await program(input, output).parseAsync(['node', 'siptrustctl', command]);
    const lines = await output.lines();
    expect(lines).toHaveLength(HOSTILE.length);
    for (const line of lines) {
      expect(line).toMatchObject(
        command === 'verify' ? { ok: false, reason: expect.stringMatching(/./) } : { kind: 'none', names: [] },
      );
    }
  });
});
