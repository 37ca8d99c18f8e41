import { useEffect, useRef, useState } from 'preact/hooks';
import { type Decision, read } from '../daemon/index.js';
import { Explain, fieldText, Problem, Table, Verdict, When } from '../parts/index.js';

/** Rows that are shown; the newest push out the oldest. */
const MOST_ROWS = 200;
/** Whoever types a filter is not done with each letter. */
const TYPING_MS = 250;

interface Live {
  readonly rows: readonly Decision[];
  readonly open: boolean;
  readonly failed: string;
  /** Answers that came faster than they are sent. */
  readonly missed: number;
}

const NOTHING: Live = { rows: [], open: false, failed: '', missed: 0 };

/** The answers that fit, as they are given; held: those of until now. */
function useDecisions(query: string, held: boolean): Live {
  const [live, setLive] = useState(NOTHING);
  const last = useRef('');
  const shown = useRef(query);
  useEffect(() => {
    if (held) return;
    if (shown.current !== query) {
      shown.current = query;
      last.current = '';
      setLive(NOTHING);
    }
    return read({
      path: `/decisions${query}`,
      last: () => last.current,
      state: (open, failed) => setLive((before) => ({ ...before, open, failed })),
      sent: (events) => {
        const fresh = events.filter(({ name }) => name === 'decision').map(({ data }): Decision => JSON.parse(data));
        const missed = events.filter(({ name }) => name === 'missed').map(({ data }): number => JSON.parse(data).count);
        last.current = fresh.at(-1)?.id ?? last.current;
        setLive((before) => ({
          ...before,
          rows: [...fresh.reverse(), ...before.rows].slice(0, MOST_ROWS),
          missed: missed.reduce((sum, count) => sum + count, before.missed),
        }));
      },
    });
  }, [query, held]);
  return live;
}

function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

/** Answers as they are given, the newest first. */
export function Decisions() {
  const [match, setMatch] = useState('');
  const [verdict, setVerdict] = useState('');
  const [method, setMethod] = useState('');
  const [held, setHeld] = useState(false);
  const [explained, setExplained] = useState('');
  const filter = Object.entries({ match: useSettled(match), verdict, method }).filter(([, value]) => value !== '');
  const query = filter.length === 0 ? '' : `?${new URLSearchParams(filter)}`;
  const live = useDecisions(query, held);
  const { open, failed, missed } = live;
  // What is held is looked through as it is.
  const rows = held ? live.rows.filter((row) => fits(row, { match, verdict, method })) : live.rows;
  const into = (set: (value: string) => void) => (event: Event) => set(fieldText(event));
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
      <p class="quiet" role="status">
        {held ? 'Held: what comes meanwhile is shown afterwards.' : open ? 'As they are given.' : 'Not connected.'}
        {missed > 0 && ` ${missed} more came faster than they are shown.`}
      </p>
      {explained !== '' && <Explain key={explained} id={explained} close={() => setExplained('')} />}
      {rows.length > 0 && (
        <Table
          label="Decisions"
          head={['Time', 'Question', 'Partner', 'Peer', 'Verdict', 'Action', 'Reason', 'Detail', 'Why']}
        >
          {rows.map((row) => (
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
              <td class="free">{row.detail}</td>
              <td>
                <button type="button" onClick={() => setExplained(row.id)}>
                  Explain
                </button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {rows.length === 0 && (open || held) && <p class="quiet">No answer fits.</p>}
    </>
  );
}

function fits(
  row: Decision,
  { match, verdict, method }: Readonly<Record<'match' | 'verdict' | 'method', string>>,
): boolean {
  if (verdict !== '' && row.verdict !== verdict) return false;
  if (method !== '' && row.method !== method) return false;
  return Object.values(row).join('\n').toLowerCase().includes(match.toLowerCase());
}
