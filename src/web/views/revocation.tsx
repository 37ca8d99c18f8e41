import { type RevocationRow, useAnswer } from '../daemon/index.js';
import { Action, Problem, Table, When } from '../parts/index.js';

const EVERY_MS = 10_000;

/** CRLs and OCSP statuses at hand. */
export function Revocation({ operator }: { operator: boolean }) {
  const { result, failed, again } = useAnswer<readonly RevocationRow[]>('crl.list', {}, EVERY_MS);
  return (
    <>
      <h2>CRLs and OCSP</h2>
      <Problem text={failed} />
      {operator && <Action label="Fetch all again" method="crl.refresh" done={again} />}
      {result?.length === 0 && <p class="quiet">None is named by the policy or was fetched.</p>}
      {result !== undefined && result.length > 0 && (
        <Table
          label="CRLs"
          head={[
            'Kind',
            'Issuer',
            'Source',
            'State',
            'Entries',
            'This update',
            'Next update',
            'Looked at',
            'Last error',
          ]}
        >
          {result.map((row) => (
            <tr key={`${row.kind} ${row.source} ${row.issuer} ${row.this_update}`}>
              <td>{row.kind}</td>
              <th scope="row">{row.issuer}</th>
              <td class="free">{row.source}</td>
              <td class={row.state === 'current' ? 'good' : ''}>{row.state}</td>
              <td class="number">{row.entries}</td>
              <td>
                <When at={row.this_update} />
              </td>
              <td>
                <When at={row.next_update} />
              </td>
              <td>
                <When at={row.checked} />
              </td>
              <td class="bad free">{row.error}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}
