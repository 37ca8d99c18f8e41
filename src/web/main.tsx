/** The operators' page: who is not trusted and why, in half a minute. */

import './style.css';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ask, onRefused, type Status, token, useAnswer, type WhoAmI } from './daemon/index.js';
import { Decisions, Fleet, Login, Partner, Partners, Pins, Policy, Revocation } from './views/index.js';

const HEALTH_MS = 5_000;

const VIEWS = [
  { place: 'partners', title: 'Partners' },
  { place: 'decisions', title: 'Decisions' },
  { place: 'policy', title: 'Policy' },
  { place: 'fleet', title: 'Fleet' },
  { place: 'pins', title: 'Pins' },
  { place: 'crls', title: 'CRLs' },
] as const;

function usePlace(): readonly [string, string] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = (): void => setHash(location.hash);
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  const [, place = '', rest = ''] = /^#\/([a-z]*)(?:\/(.*))?$/.exec(hash) ?? [];
  return [place === '' ? 'partners' : place, rest];
}

function Page() {
  const [who, setWho] = useState<WhoAmI>();
  const [told, setTold] = useState('');
  const [tried, setTried] = useState(false);
  const [place, rest] = usePlace();
  useEffect(() => {
    const leave = (why: string) => () => {
      token.clear();
      setWho(undefined);
      setTold(why);
    };
    onRefused(leave('The token is not taken.'));
    // A certificate in the TLS handshake needs no token.
    ask<WhoAmI>('core.whoami')
      .then((found) => found.role !== 'script' && setWho(found), leave(''))
      .finally(() => setTried(true));
  }, []);
  if (!tried) return null;
  if (who === undefined) return <Login key={told} entered={setWho} told={told} />;
  const operator = who.role === 'operator';
  const leave = (): void => {
    token.clear();
    setTold('');
    setWho(undefined);
  };
  return (
    <>
      <button type="button" class="skip" onClick={toContent}>
        To the content
      </button>
      <header>
        <h1>siptrust</h1>
        <nav aria-label="Views">
          {VIEWS.map((view) => (
            <a key={view.place} href={`#/${view.place}`} aria-current={view.place === place ? 'page' : undefined}>
              {view.title}
            </a>
          ))}
        </nav>
        <span class="who">
          {who.credential} ({who.role}){' '}
          <button type="button" onClick={leave}>
            Leave
          </button>
        </span>
      </header>
      <Health />
      <main id="content" tabIndex={-1}>
        <View place={place} rest={rest} operator={operator} />
      </main>
    </>
  );
}

/** What whoever looks at any view has to know: siptrustd does not answer, its policy is not that of the file, something ended. */
function Health() {
  const { result, failed } = useAnswer<Status>('core.status', {}, HEALTH_MS);
  const problems = result?.problems.length ?? 0;
  const ended = result?.expiry.ended ?? 0;
  if (failed === '' && problems === 0 && ended === 0) return null;
  return (
    <div class="health" role="alert">
      {failed !== '' && <p>{failed}: what stands below is of before.</p>}
      {problems > 0 && (
        <p>
          The policy file is no good ({problems === 1 ? '1 problem' : `${problems} problems`}): an older policy is in
          force. <a href="#/policy">See why</a>
        </p>
      )}
      {ended > 0 && (
        <p>
          {ended === 1 ? '1 certificate, list or agreement has' : `${ended} certificates, lists or agreements have`}{' '}
          ended: siptrustctl cert expiry.
        </p>
      )}
    </div>
  );
}

function toContent(): void {
  document.getElementById('content')?.focus();
}

function View({ place, rest, operator }: { place: string; rest: string; operator: boolean }) {
  switch (place) {
    case 'partners':
      return <Partners />;
    case 'partner': {
      const name = decoded(rest);
      return <Partner key={name} name={name} />;
    }
    case 'decisions':
      return <Decisions />;
    case 'policy':
      return <Policy operator={operator} />;
    case 'fleet':
      return <Fleet />;
    case 'pins':
      return <Pins operator={operator} />;
    case 'crls':
      return <Revocation operator={operator} />;
    default:
      return <p>There is no view of this name.</p>;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const root = document.getElementById('page');
if (root !== null) render(<Page />, root);
