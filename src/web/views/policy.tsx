import { useState } from 'preact/hooks';
import { type AuditLine, type Candidate, type PolicyEvent, type Status, useAnswer } from '../daemon/index.js';
import { Action, Problem, Table, When } from '../parts/index.js';
import { FleetRevisions } from './fleet-revisions.js';

const EVERY_MS = 5_000;

/** The policy in force, what is wrong with the file, and the candidate. */
export function Policy({ operator }: { operator: boolean }) {
  const status = useAnswer<Status>('core.status', {}, EVERY_MS);
  const candidate = useAnswer<Candidate>('policy.status', {}, EVERY_MS);
  const history = useAnswer<readonly PolicyEvent[]>('policy.history', {}, EVERY_MS);
  const audit = useAnswer<readonly AuditLine[]>('audit.list', { limit: 50 }, EVERY_MS);
  const { result } = status;
  const changed = (): void => {
    for (const each of [status, candidate, history, audit]) each.again();
  };
  return (
    <>
      <h2>Policy</h2>
      <Problem text={status.failed} />
      {result !== undefined && (
        <>
          <p>
            Revision <strong>{result.revision}</strong> with {result.agreements} agreements, in force since{' '}
            <When at={result.loaded_at} />; the file was read last at <When at={result.last_reload} />.
          </p>
          <p>
            {result.expiry.ended} certificates, lists or agreements have ended, {result.expiry.ending} end within 30
            days. siptrust {result.version}.
          </p>
          {operator && <Action label="Read the policy file again" method="agreement.reload" done={changed} />}
          <Lines
            title="Problems of the file: the policy before stays in force"
            lines={result.problems}
            none="The file that was read last is good."
          />
          <Lines title="Warnings" lines={result.warnings} none="" />
        </>
      )}
      <h3>Candidate</h3>
      <Problem text={candidate.failed} />
      {candidate.result !== undefined && <Tried candidate={candidate.result} />}
      {operator && candidate.result?.candidate === '' && <Try done={candidate.again} />}
      {operator && candidate.result !== undefined && candidate.result.candidate !== '' && (
        <p>
          <Action
            label="Promote the candidate"
            method="policy.promote"
            done={changed}
            sure={`Put ${candidate.result.candidate} in the place of the policy file? It changes ${candidate.result.changed} of ${candidate.result.asked} answers.`}
          />
          <Action
            label="Drop the candidate"
            method="policy.drop"
            done={candidate.again}
            sure="Forget the candidate and what it was asked?"
          />
        </p>
      )}
      <FleetRevisions />
      <h3>Revisions since the start</h3>
      <Problem text={history.failed} />
      {history.result !== undefined && <Revisions events={history.result} />}
      <h3>Changes by operators</h3>
      <Problem text={audit.failed} />
      {audit.result !== undefined && <Changes lines={audit.result} />}
    </>
  );
}

function Lines({ title, lines, none }: { title: string; lines: readonly string[]; none: string }) {
  if (lines.length === 0) return none === '' ? null : <p>{none}</p>;
  return (
    <>
      <h3>{title}</h3>
      <ul>
        {lines.map((line) => (
          <li key={line}>
            <code>{line}</code>
          </li>
        ))}
      </ul>
    </>
  );
}

const HAPPENED: Readonly<Record<PolicyEvent['kind'], string>> = {
  start: 'siptrustd started',
  reload: 'read',
  refused: 'no good: not read',
  renewed: 'lists or pins changed',
};

function Revisions({ events }: { events: readonly PolicyEvent[] }) {
  return (
    <Table label="Revisions" head={['Revision', 'When', 'What', 'Who', 'Differences']}>
      {events.map(({ revision, at, kind, count, by, problems, differences, more }) => (
        <tr key={`${revision} ${kind} ${at}`}>
          <th scope="row">{revision}</th>
          <td>
            <When at={at} />
          </td>
          <td class={kind === 'refused' ? 'bad' : ''}>
            {HAPPENED[kind]}
            {count > 1 && ` (${count} times)`}
            {problems > 0 && `, ${problems} problems`}
          </td>
          <td class="free">{by}</td>
          <td class="free">
            {kind === 'reload' && differences.length === 0 && <span class="quiet">none</span>}
            {differences.length > 0 && (
              <details>
                <summary>
                  {more ? 'more than ' : ''}
                  {differences.length}
                </summary>
                <ul>
                  {differences.map(({ subject, change, key, before, after }) => (
                    <li key={`${subject} ${key}`}>
                      {subject} {change} {key} {before !== '' && <del>{before}</del>}{' '}
                      {after !== '' && <ins>{after}</ins>}
                    </li>
                  ))}
                </ul>
              </details>
            )}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Changes({ lines }: { lines: readonly AuditLine[] }) {
  if (lines.length === 0) return <p class="quiet">None.</p>;
  return (
    <Table label="Changes by operators" head={['When', 'What', 'With', 'Outcome', 'Who', 'From', 'Revision']}>
      {lines.map((line, at) => (
        <tr key={`${line.time} ${at}`}>
          <td>
            <When at={line.time} />
          </td>
          <td>{line.method}</td>
          <td class="free">{JSON.stringify(line.params)}</td>
          <td class={line.outcome === 'done' ? '' : 'bad'}>{line.outcome}</td>
          <td>{line.credential || line.by}</td>
          <td class="free">{line.peer}</td>
          <td>
            {line.old_revision}
            {line.new_revision !== line.old_revision && ` → ${line.new_revision}`}
          </td>
        </tr>
      ))}
    </Table>
  );
}

/** Names a file on the machine of siptrustd. */
function Try({ done }: { done: () => void }) {
  const [file, setFile] = useState('');
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <label>
        File on the machine of siptrustd{' '}
        <input
          value={file}
          placeholder="/etc/siptrust/candidate.yaml"
          onInput={(event) => setFile(event.currentTarget.value.trim())}
        />
      </label>
      <Action label="Try it as a candidate" method="policy.candidate" params={{ file }} done={done} />
    </form>
  );
}

function Tried({ candidate }: { candidate: Candidate }) {
  if (candidate.candidate === '') return <p class="quiet">No candidate is tried.</p>;
  return (
    <>
      <p>
        <code>{candidate.candidate}</code> since <When at={candidate.since ?? ''} />: asked {candidate.asked} times,
        would change {candidate.changed} answers ({candidate.waiting} waiting, {candidate.left_out} left out).
      </p>
      <Table label="Changes" head={['Partner', 'Direction', 'Count', 'Before', 'After', 'Removed', 'Kept']}>
        {(candidate.changes ?? []).map((row) => (
          <tr key={`${row.partner} ${row.direction} ${row.last_id}`}>
            <th scope="row">{row.partner}</th>
            <td>{row.direction}</td>
            <td class="number">{row.count}</td>
            <td>
              {row.before} {row.reason_before}
            </td>
            <td>
              {row.after} {row.reason_after}
            </td>
            <td class="free">{row.removed.join(', ')}</td>
            <td class="free">{row.kept.join(', ')}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}
