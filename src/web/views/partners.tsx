import { useState } from 'preact/hooks';
import { type PartnerList, type PartnerRow, useAnswer } from '../daemon/index.js';
import { fieldText, Problem, Table, Verdict, When } from '../parts/index.js';

const PAGE = 100;
const EVERY_MS = 5_000;
const HEAD = [
  'Partner',
  'Domains',
  'Now',
  'Reason',
  'Last asked',
  'Connections',
  'Peer questions',
  'Message questions',
  'Ends first',
];

/** All partners, those that are not trusted first. */
export function Partners() {
  const [match, setMatch] = useState('');
  const [trust, setTrust] = useState('');
  const [order, setOrder] = useState('trouble');
  const [from, setFrom] = useState(0);
  const params = { match, order, from, limit: PAGE, ...(trust === '' ? {} : { trust }) };
  const { result, failed } = useAnswer<PartnerList>('partner.list', params, EVERY_MS);
  const again =
    (set: (value: string) => void) =>
    (event: Event): void => {
      set(fieldText(event));
      setFrom(0);
    };
  const last = Math.min(from + PAGE, result?.matched ?? 0);
  return (
    <>
      <h2>Partners</h2>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Filter <input type="search" value={match} onInput={again(setMatch)} placeholder="name, domain, reason" />
        </label>
        <label>
          Show{' '}
          <select value={trust} onChange={again(setTrust)}>
            <option value="">all</option>
            <option value="untrusted">not trusted</option>
            <option value="trusted">trusted</option>
            <option value="unasked">not asked yet</option>
          </select>
        </label>
        <label>
          Order{' '}
          <select value={order} onChange={again(setOrder)}>
            <option value="trouble">not trusted first</option>
            <option value="name">by name</option>
            <option value="asked">busiest first</option>
            <option value="ends">what ends first</option>
          </select>
        </label>
      </form>
      <Problem text={failed} />
      {result !== undefined && (
        <>
          <p role="status">
            {result.total === 1 ? '1 partner' : `${result.total} partners`}:{' '}
            <span class="bad">{result.untrusted} not trusted</span>, <span class="good">{result.trusted} trusted</span>,{' '}
            {result.unasked} not asked yet.{' '}
            {result.matched === 0 ? 'None fits.' : `Shown: ${from + 1} to ${last} of ${result.matched}.`}
          </p>
          <Table label="Partners" head={HEAD}>
            {result.rows.map((row) => (
              <Row key={row.name} row={row} />
            ))}
          </Table>
          <p class="pages">
            <button type="button" disabled={from === 0} onClick={() => setFrom(Math.max(0, from - PAGE))}>
              Previous
            </button>
            <button type="button" disabled={last >= result.matched} onClick={() => setFrom(from + PAGE)}>
              Next
            </button>
          </p>
        </>
      )}
    </>
  );
}

function Row({ row }: { row: PartnerRow }) {
  const { name, domains, state, verdict, would, reason, detail, at, connections, peers, messages, days, ends } = row;
  return (
    <tr>
      <th scope="row">
        <a href={`#/partner/${encodeURIComponent(name)}`}>{name}</a>
        {state !== 'in-force' && <span class="quiet"> {state}</span>}
      </th>
      <td class="free">
        {domains.length > 3 ? `${domains.slice(0, 3).join(', ')}, ... (${domains.length})` : domains.join(', ')}
      </td>
      <td>
        <Verdict verdict={verdict} would={would} />
      </td>
      <td title={detail}>{reason}</td>
      <td>
        <When at={at} />
      </td>
      <td class="number">{connections}</td>
      <td class="number">{peers}</td>
      <td class="number">{messages}</td>
      <td class={days !== '' && days < 7 ? 'bad' : ''}>{days === '' ? '' : `${ends}: ${left(days)}`}</td>
    </tr>
  );
}

function left(days: number): string {
  if (days < 0) return 'ended';
  return days === 1 ? '1 day' : `${days} days`;
}
