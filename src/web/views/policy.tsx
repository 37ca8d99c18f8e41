import type { Candidate, Status } from '../answers.js';
import { Action, Problem, Table, When } from '../parts.js';
import { useAnswer } from '../use-answer.js';

const EVERY_MS = 5_000;

/** The policy in force, what is wrong with the file, and the candidate. */
export function Policy({ operator }: { operator: boolean }) {
  const status = useAnswer<Status>('core.status', {}, EVERY_MS);
  const candidate = useAnswer<Candidate>('policy.status', {}, EVERY_MS);
  const { result } = status;
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
          {operator && <Action label="Read the policy file again" method="agreement.reload" done={status.again} />}
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
      {operator && candidate.result !== undefined && candidate.result.candidate !== '' && (
        <Action
          label="Drop the candidate"
          method="policy.drop"
          done={candidate.again}
          sure="Forget the candidate and what it was asked?"
        />
      )}
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
            <td>{row.removed.join(', ')}</td>
            <td>{row.kept.join(', ')}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}
