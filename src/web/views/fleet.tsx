import { useAnswer } from '../daemon/index.js';
import { Problem, Table, When } from '../parts/index.js';

const EVERY_MS = 2_000;

interface FleetNode {
  readonly node: string;
  readonly state: 'ok' | 'behind' | 'problem' | 'silent';
  readonly revision: number;
  readonly lag: number;
  readonly last_contact: number;
  readonly problem: string;
  readonly version: string;
  readonly up_since: string;
}

/** fleet.list (docs/rpc.md). */
type FleetList =
  | { readonly fleet: 'none' }
  | {
      readonly node: string;
      readonly policy: 'store' | 'file';
      readonly revision: number;
      readonly newest: number;
      readonly problem: string;
      readonly disabled: readonly string[];
      readonly last_contact: string;
      readonly store: 'up' | 'away';
      readonly store_host: string;
      readonly store_since: string;
      readonly store_problem: string;
      readonly nodes: readonly FleetNode[];
    };

/** The nodes of the fleet: which revision is in force where, how far behind, and the database. */
export function Fleet() {
  const { result, failed } = useAnswer<FleetList>('fleet.list', {}, EVERY_MS);
  return (
    <>
      <h2>Fleet</h2>
      <Problem text={failed} />
      {result !== undefined &&
        ('fleet' in result ? (
          <p class="quiet">This siptrustd is alone: it has no daemon.store.</p>
        ) : (
          <Known {...result} />
        ))}
    </>
  );
}

function Known(fleet: Exclude<FleetList, { readonly fleet: 'none' }>) {
  return (
    <>
      <p>
        {fleet.policy === 'store' ? (
          <>
            Revision <strong>{fleet.revision}</strong> is in force on this node ({fleet.node}); the newest is{' '}
            {fleet.newest}.
          </>
        ) : (
          <>This node ({fleet.node}) has a policy of its own.</>
        )}{' '}
        The database {fleet.store === 'up' ? `at ${fleet.store_host} answers` : 'is away'} since{' '}
        <When at={fleet.store_since} />
        {fleet.store === 'away' && `: ${fleet.store_problem}`}. It was heard of last at <When at={fleet.last_contact} />
        .
      </p>
      <Problem text={fleet.problem} />
      {fleet.disabled.length > 0 && <p>Disabled on all nodes: {fleet.disabled.join(', ')}</p>}
      {fleet.store === 'away' ? (
        <p class="quiet">The other nodes are not known while it is away.</p>
      ) : (
        <Table
          label="Nodes"
          head={['Node', 'State', 'Revision', 'Lag', 'Last contact', 'Problem', 'Version', 'Up since']}
        >
          {fleet.nodes.map((row) => (
            <tr key={row.node}>
              <th scope="row">{row.node}</th>
              <td class={row.state === 'ok' ? 'good' : 'bad'}>
                {row.state === 'ok' ? '✓' : '✗'} {row.state}
              </td>
              <td class="number">{row.revision}</td>
              <td class="number">{row.lag === 0 ? '' : `${row.lag} s`}</td>
              <td class="number">{row.last_contact} s ago</td>
              <td>{row.problem}</td>
              <td>{row.version}</td>
              <td>
                <When at={row.up_since} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}
