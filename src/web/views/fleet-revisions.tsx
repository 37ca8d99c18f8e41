import { useAnswer } from '../daemon/index.js';
import { Problem, Table, When } from '../parts/index.js';

const EVERY_MS = 5_000;

interface FleetRevision {
  readonly revision: number;
  readonly at: string;
  readonly author: string;
  readonly comment: string;
  readonly disabled: readonly string[];
  readonly signed_by: string;
  readonly nodes: readonly string[];
}

/** fleet.revisions (docs/rpc.md). */
type FleetRevisionList =
  | { readonly fleet: 'none' }
  | { readonly node: string; readonly revisions: readonly FleetRevision[] };

/** The newest revisions of the fleet's policy, and who has which; nothing where siptrustd is alone. */
export function FleetRevisions() {
  const { result, failed } = useAnswer<FleetRevisionList>('fleet.revisions', {}, EVERY_MS);
  if (result !== undefined && 'fleet' in result) return null;
  return (
    <>
      <h3>Revisions of the fleet</h3>
      <Problem text={failed} />
      {result?.revisions.length === 0 && <p class="quiet">Nobody has pushed any.</p>}
      {result !== undefined && result.revisions.length > 0 && (
        <Table
          label="Revisions of the fleet"
          head={['Revision', 'When', 'Author', 'Comment', 'Disabled', 'Signed by', 'In force on']}
        >
          {result.revisions.map((row) => (
            <tr key={row.revision}>
              <th scope="row">{row.revision}</th>
              <td>
                <When at={row.at} />
              </td>
              <td>{row.author}</td>
              <td class="free">{row.comment}</td>
              <td class="free">{row.disabled.join(', ')}</td>
              <td>{row.signed_by}</td>
              <td class="free">{row.nodes.join(', ')}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}
