import { useState } from 'preact/hooks';
import { type Pin, useAnswer } from '../daemon/index.js';
import { Action, Problem, Table, When } from '../parts/index.js';

const EVERY_MS = 10_000;
/** More would be slow to draw; the filter finds the rest. */
const MOST = 200;

/** Keys that partners showed: those that wait for an operator, or all. */
export function Pins({ operator }: { operator: boolean }) {
  const [all, setAll] = useState(false);
  const [match, setMatch] = useState('');
  const { result, failed, again } = useAnswer<readonly Pin[]>('pin.list', all ? {} : { state: 'observed' }, EVERY_MS);
  const wanted = match.toLowerCase();
  const found = (result ?? []).filter(({ agreement, pin, subject }) =>
    [agreement, pin, subject].some((text) => text.toLowerCase().includes(wanted)),
  );
  return (
    <>
      <h2>Pins</h2>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Filter <input type="search" value={match} onInput={(event) => setMatch(event.currentTarget.value)} />
        </label>
        <label>
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} /> approved
          ones too
        </label>
      </form>
      <p>Ask the partner for the hash of his key by another way than this interconnect before you approve it.</p>
      <Problem text={failed} />
      {result !== undefined && found.length === 0 && <p class="quiet">No pin waits.</p>}
      {found.length > MOST && (
        <p>
          The first {MOST} of {found.length} are shown.
        </p>
      )}
      {found.length > 0 && (
        <Table
          label="Pins"
          head={['Partner', 'State', 'Key', 'Subject', 'Names', 'Seen', 'Last seen', 'Certificate ends', 'Actions']}
        >
          {found.slice(0, MOST).map((pin) => (
            <tr key={`${pin.agreement} ${pin.pin}`}>
              <th scope="row">
                <a href={`#/partner/${encodeURIComponent(pin.agreement)}`}>{pin.agreement}</a>
              </th>
              <td>{pin.state}</td>
              <td class="free">
                <code>{pin.pin}</code>
              </td>
              <td class="free">{pin.subject}</td>
              <td class="free">{pin.identities.join(', ')}</td>
              <td class="number">{pin.count}</td>
              <td>
                <When at={pin.last_seen} />
              </td>
              <td>
                <When at={pin.not_after} />
              </td>
              <td>{operator ? <Buttons pin={pin} done={again} /> : <span class="quiet">for operators</span>}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

function Buttons({ pin: { agreement, pin, state }, done }: { pin: Pin; done: () => void }) {
  const params = { agreement, pin };
  return (
    <>
      {state === 'observed' && (
        <Action
          label="Approve"
          method="pin.approve"
          params={params}
          done={done}
          sure={`Approve ${pin} for ${agreement}?`}
        />
      )}
      <Action label="Drop" method="pin.drop" params={params} done={done} sure={`Forget ${pin} of ${agreement}?`} />
    </>
  );
}
