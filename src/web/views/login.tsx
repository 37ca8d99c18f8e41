import { useState } from 'preact/hooks';
import { ask, messageOf, token, type WhoAmI } from '../daemon/index.js';

/** Asks for a token and tries it. */
export function Login({ entered, told }: { entered: (who: WhoAmI) => void; told: string }) {
  const [text, setText] = useState('');
  const [failed, setFailed] = useState(told);
  const submit = (event: Event): void => {
    event.preventDefault();
    token.set(text.trim());
    ask<WhoAmI>('core.whoami').then(
      (who) => {
        if (who.role !== 'script') return entered(who);
        token.clear();
        setFailed('This token has the role script: the page needs viewer or operator.');
      },
      (error: unknown) => {
        token.clear();
        setFailed(messageOf(error));
      },
    );
  };
  return (
    <main class="login">
      <h1>siptrust</h1>
      <form onSubmit={submit}>
        <label for="token">Token of a viewer or an operator</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          required
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit">Enter</button>
        {failed !== '' && (
          <p class="problem" role="alert">
            {failed}
          </p>
        )}
      </form>
      <p class="quiet">
        Made by <code>siptrustctl token add NAME --role viewer</code>. It is kept until this tab is closed.
      </p>
    </main>
  );
}
