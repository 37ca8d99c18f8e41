import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ask, type Explanation, messageOf, useAnswer } from '../daemon/index.js';

/** Trust in words and a mark, so that no colour has to be told from another. */
export function Verdict({ verdict, would = '' }: { verdict: string; would?: string }) {
  if (verdict === '') return <span class="quiet">not asked yet</span>;
  const good = verdict === 'trusted';
  return (
    <span class={`verdict ${good ? 'good' : 'bad'}`}>
      {good ? '✓' : '✗'} {verdict}
      {would !== '' && <span class="quiet"> (monitored: {would})</span>}
    </span>
  );
}

export function When({ at }: { at: string }) {
  if (at === '') return null;
  const text = at.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
  return <time dateTime={at}>{text}</time>;
}

export function Problem({ text }: { text: string }) {
  return text === '' ? null : (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}

/** Asks something that changes something, and says how it went. */
export function Action({
  label,
  method,
  params = {},
  done,
  sure = '',
}: {
  label: string;
  method: string;
  params?: object;
  done: () => void;
  /** Asked before; empty: it is done at once. */
  sure?: string;
}) {
  const [told, setTold] = useState('');
  const [busy, setBusy] = useState(false);
  const run = (): void => {
    if (sure !== '' && !window.confirm(sure)) return;
    setBusy(true);
    ask(method, params)
      .then(
        () => setTold('done'),
        (error: unknown) => setTold(messageOf(error)),
      )
      .finally(() => {
        setBusy(false);
        done();
      });
  };
  return (
    <span class="action">
      <button type="button" onClick={run} disabled={busy}>
        {label}
      </button>
      <span role="status">{told}</span>
    </span>
  );
}

export function Table({
  head,
  label,
  children,
}: {
  head: readonly string[];
  label: string;
  children: ComponentChildren;
}) {
  return (
    <div class="scroll">
      <table aria-label={label}>
        <thead>
          <tr>
            {head.map((text) => (
              <th key={text} scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** The checks behind an answer. */
export function Explain({ id, close }: { id: string; close: () => void }) {
  const { result, failed } = useAnswer<Explanation>('trust.explain', { id });
  return (
    <section class="explain" aria-label={`Explanation of ${id}`}>
      <h3>
        Why: <code>{id}</code>{' '}
        <button type="button" onClick={close}>
          Close
        </button>
      </h3>
      <Problem text={failed} />
      {result !== undefined && (
        <>
          <p>{result.summary}</p>
          <Table label="Checks" head={['Step', 'Check', 'Outcome', 'Compared', 'Clause']}>
            {result.checks.map(({ step, name, outcome, compared, clause }) => (
              <tr key={step}>
                <td>{step}</td>
                <td>{name}</td>
                <td class={outcome === 'fail' ? 'bad' : ''}>{outcome}</td>
                <td class="free">{compared}</td>
                <td>{clause}</td>
              </tr>
            ))}
          </Table>
        </>
      )}
    </section>
  );
}

/** What stands in a field of a form. */
export function fieldText({ currentTarget: field }: Event): string {
  return field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field.value : '';
}
