import { useState } from 'preact/hooks';
import type { Decision } from '../answers.js';
import { Explain, Problem, Table, Verdict, When } from '../parts.js';
import { useAnswer } from '../use-answer.js';

const EVERY_MS = 2_000;

/** Answers as they are given, the newest first. */
export function Decisions() {
  const [match, setMatch] = useState('');
  const [verdict, setVerdict] = useState('');
  const [method, setMethod] = useState('');
  const [held, setHeld] = useState(false);
  const [explained, setExplained] = useState('');
  const params = { match, limit: 100, ...(verdict === '' ? {} : { verdict }), ...(method === '' ? {} : { method }) };
  const { result, failed } = useAnswer<{ rows: readonly Decision[] }>('decision.list', params, held ? 0 : EVERY_MS);
  const into = (set: (value: string) => void) => (event: Event) =>
    set((event.currentTarget as HTMLInputElement | HTMLSelectElement).value);
  return (
    <>
      <h2>Decisions</h2>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Filter{' '}
          <input type="search" value={match} onInput={into(setMatch)} placeholder="partner, reason, address, id" />
        </label>
        <label>
          Verdict{' '}
          <select value={verdict} onChange={into(setVerdict)}>
            <option value="">any</option>
            <option value="trusted">trusted</option>
            <option value="untrusted">untrusted</option>
            <option value="reject">reject</option>
          </select>
        </label>
        <label>
          Question{' '}
          <select value={method} onChange={into(setMethod)}>
            <option value="">any</option>
            <option value="trust.peer">trust.peer</option>
            <option value="trust.message">trust.message</option>
          </select>
        </label>
        <button type="button" aria-pressed={held} onClick={() => setHeld(!held)}>
          Hold
        </button>
      </form>
      <Problem text={failed} />
      {explained !== '' && <Explain key={explained} id={explained} close={() => setExplained('')} />}
      {result !== undefined && (
        <Table
          label="Decisions"
          head={['Time', 'Question', 'Partner', 'Peer', 'Verdict', 'Action', 'Reason', 'Detail', 'Why']}
        >
          {result.rows.map((row) => (
            <tr key={row.id}>
              <td>
                <When at={row.time} />
              </td>
              <td>
                {row.method} {row.direction}
              </td>
              <td>
                {row.agreement === '' ? (
                  <span class="quiet">stranger</span>
                ) : (
                  <a href={`#/partner/${encodeURIComponent(row.agreement)}`}>{row.agreement}</a>
                )}
              </td>
              <td>{row.next_hop || row.source}</td>
              <td>
                <Verdict verdict={row.verdict} />
              </td>
              <td>{row.action}</td>
              <td>{row.reason}</td>
              <td>{row.detail}</td>
              <td>
                <button type="button" onClick={() => setExplained(row.id)}>
                  Explain
                </button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {result?.rows.length === 0 && <p class="quiet">No answer fits.</p>}
    </>
  );
}
