import { useState } from 'preact/hooks';
import { type HeaderRow, type Partner as PartnerAnswer, useAnswer } from '../daemon/index.js';
import { Explain, Problem, Table, Verdict, When } from '../parts/index.js';

const EVERY_MS = 5_000;

/** One partner in full. */
export function Partner({ name }: { name: string }) {
  const [explained, setExplained] = useState('');
  const { result, failed } = useAnswer<PartnerAnswer>('partner.show', { name }, EVERY_MS);
  const agreement = useAnswer<Readonly<Record<string, unknown>>>('agreement.show', { name });
  const headers = useAnswer<readonly HeaderRow[]>('header.list', { agreement: name });
  return (
    <>
      <p>
        <a href="#/partners">All partners</a>
      </p>
      <h2>{name}</h2>
      <Problem text={failed} />
      {result !== undefined && (
        <>
          <p>
            <Verdict verdict={result.verdict} would={result.would} /> {result.reason} {result.detail}
          </p>
          <p>
            Agreement {result.state}; {result.connections} connections, {result.peers} questions about the peer and{' '}
            {result.messages} about messages in the last hour.{' '}
            {result.ends !== '' && (
              <>
                Ends first: {result.ends}, <When at={result.ends_at} />.
              </>
            )}
          </p>
          <h3>Verdicts</h3>
          <Table label="Verdicts" head={['Last', 'First', 'Count', 'Question', 'Verdict', 'Reason', 'Detail', 'Why']}>
            {result.history.map(({ id, first, last, count, method, direction, verdict, would, reason, detail }) => (
              <tr key={id}>
                <td>
                  <When at={last} />
                </td>
                <td>
                  <When at={first} />
                </td>
                <td class="number">{count}</td>
                <td>
                  {method} {direction}
                </td>
                <td>
                  <Verdict verdict={verdict} would={would} />
                </td>
                <td>{reason}</td>
                <td class="free">{detail}</td>
                <td>
                  <button type="button" onClick={() => setExplained(id)}>
                    Explain
                  </button>
                </td>
              </tr>
            ))}
          </Table>
          {explained !== '' && <Explain key={explained} id={explained} close={() => setExplained('')} />}
          <h3>Certificates seen</h3>
          {result.certificates.length === 0 ? (
            <p class="quiet">None in good handshakes of the last week.</p>
          ) : (
            <Table label="Certificates seen" head={['Subject', 'Ends']}>
              {result.certificates.map(({ subject, not_after }) => (
                <tr key={`${subject} ${not_after}`}>
                  <td class="free">{subject}</td>
                  <td>
                    <When at={not_after} />
                  </td>
                </tr>
              ))}
            </Table>
          )}
        </>
      )}
      <h3>Agreement as in force</h3>
      <Problem text={agreement.failed} />
      {agreement.result !== undefined && (
        <Table label="Agreement" head={['Key', 'Value']}>
          {Object.entries(agreement.result).map(([key, value]) => (
            <tr key={key}>
              <th scope="row">{key}</th>
              <td class="free">{written(value)}</td>
            </tr>
          ))}
        </Table>
      )}
      <h3>Header policy</h3>
      <Problem text={headers.failed} />
      {headers.result !== undefined && (
        <Table
          label="Header policy"
          head={['Header', 'Untrusted in', 'Untrusted out', 'Trusted in', 'Trusted out', 'Clause']}
        >
          {headers.result.map((row, at) => (
            <tr key={`${at} ${row.name}`}>
              <th scope="row">{row.name}</th>
              {(['untrusted_in', 'untrusted_out', 'trusted_in', 'trusted_out'] as const).map((column) => (
                <td key={column}>
                  {row[column]}
                  {row.overrides.includes(column) && <strong title="by this agreement"> *</strong>}
                </td>
              ))}
              <td>{row.clause}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

function written(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.map(written).join(', ');
  return Object.entries(value)
    .map(([key, inner]) => `${key}: ${written(inner) || 'none'}`)
    .join('; ');
}
