/** The page at /ui in a real Chromium: every view and button, wrong credentials, its headers, 5,000 partners. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loopbackBlock, runDirectory } from '../support/live/places.js';
import { browserIsThere, CHROMIUM, FLAGS } from './chromium.js';
import { type Stage, stage } from './stage.js';

const PARTNERS = 5_000;
/** Where `docs/ui.png` is written anew; unset: it is not. */
const PICTURE = process.env.SIPTRUST_PICTURE;

/** Where a picture of each view is written, to be looked at; unset: nowhere. */
const SHOTS = process.env.SIPTRUST_SHOTS;

describe.skipIf(!browserIsThere())('the page at /ui', () => {
  const directory = runDirectory();
  let on: Stage;
  let browser: BrowserContext;
  let page: Page;
  /** What the console or the page itself said that nobody expected. */
  const errors: string[] = [];
  const foreign: string[] = [];

  beforeAll(async () => {
    on = await stage(loopbackBlock()(1), directory.path);
    await on.ask();
    browser = await chromium.launchPersistentContext(join(directory.path, 'chromium'), {
      ...{ executablePath: CHROMIUM, args: FLAGS, headless: true },
      ...{ viewport: { width: 1280, height: 720 }, colorScheme: 'light' },
    });
  });
  afterAll(async () => {
    await browser?.close();
    await on?.daemon.stop();
    directory.remove();
  });
  afterEach(async ({ task }) => {
    if (SHOTS !== undefined && page?.isClosed() === false) {
      await page.screenshot({ path: join(SHOTS, `${task.name.replace(/[^a-z0-9]+/gi, '-')}.png`), fullPage: true });
    }
    await page?.close();
    expect(errors.splice(0)).toEqual([]);
    expect(foreign.splice(0)).toEqual([]);
  });

  async function open(): Promise<Page> {
    page = await browser.newPage();
    page.setDefaultTimeout(20_000);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(`${on.origin}/`)) foreign.push(request.url());
    });
    await page.goto(`${on.origin}/ui`);
    return page;
  }

  async function enter(role: 'viewer' | 'operator', place = 'partners'): Promise<Page> {
    await open();
    await page.getByLabel('Token of a viewer or an operator').fill(on.tokens[role]);
    await page.keyboard.press('Enter');
    await page.getByRole('navigation').waitFor();
    await page.evaluate((hash) => {
      location.hash = hash;
    }, `#/${place}`);
    return page;
  }

  const row = (text: string) => page.getByRole('row').filter({ hasText: text }).first();

  describe('who may see it', () => {
    test('ok/its files bear a policy that allows nothing inline and nothing foreign', async () => {
      for (const path of ['/ui', '/ui/', '/ui/app.js', '/ui/app.css', '/ui/icon.svg']) {
        const answer = await fetch(`${on.origin}${path}`);
        expect(answer.status).toBe(200);
        const policy = answer.headers.get('content-security-policy') ?? '';
        expect(policy).toContain("default-src 'none'");
        expect(policy).toContain("frame-ancestors 'none'");
        expect(policy).not.toContain('unsafe');
        expect(policy).not.toContain('http');
        expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
        expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
      }
      const html = await (await fetch(`${on.origin}/ui`)).text();
      expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=/i);
    });
    test('ok/the browser holds the page to that policy', async () => {
      await open();
      const ran = await page.evaluate(() => {
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);
        return 'ran' in window;
      });
      expect(ran).toBe(false);
      expect(errors.splice(0).join()).toContain('Content Security Policy');
    });
    test('fail/a wrong token, and one of a script, show nothing', async () => {
      await open();
      const field = page.getByLabel('Token of a viewer or an operator');
      await field.fill(`siptrust_${'0'.repeat(12)}_${'A'.repeat(43)}`);
      await page.getByRole('button', { name: 'Enter' }).click();
      await page.getByRole('alert').filter({ hasText: 'not taken' }).waitFor();
      // The browser says itself that the status was 401.
      expect(errors.splice(0).every((text) => text.includes('401'))).toBe(true);
      await field.fill(on.tokens.script);
      await page.getByRole('button', { name: 'Enter' }).click();
      await page.getByRole('alert').filter({ hasText: 'role script' }).waitFor();
      expect(await page.getByRole('navigation').count()).toBe(0);
      expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    });
    test('ok/Leave forgets the token; a new page asks for it, one that is loaded again does not', async () => {
      await enter('viewer');
      await page.reload();
      await page.getByRole('heading', { name: 'Partners' }).waitFor();
      await page.getByRole('button', { name: 'Leave' }).click();
      await page.getByLabel('Token of a viewer or an operator').waitFor();
      expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    });
    test('fail/a token that is revoked while the page is open leads to the door', async () => {
      const { token } = await on.daemon.call('token.add', { name: 'short', role: 'viewer' });
      await open();
      await page.getByLabel('Token of a viewer or an operator').fill(String(token));
      await page.keyboard.press('Enter');
      await page.getByRole('table', { name: 'Partners' }).waitFor();
      await on.daemon.call('token.revoke', { name: 'short' });
      await page.getByRole('alert').filter({ hasText: 'not taken' }).waitFor();
      expect(errors.splice(0).every((text) => text.includes('401'))).toBe(true);
    });
  });

  describe('with a certificate', () => {
    test('ok/whoever shows one that the policy names needs no token; another is asked for one', async () => {
      const { origin, certificates } = on.secure;
      // A context of its own for each: certificates are those of a context.
      const other = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS, headless: true });
      const open = async (name: keyof typeof certificates) => {
        // Playwright itself speaks TLS to the server, with this certificate, and to the browser with one of its own.
        const context = await other.newContext({
          ignoreHTTPSErrors: true,
          clientCertificates: [{ origin, ...certificates[name] }],
        });
        const seen = await context.newPage();
        await seen.goto(`${origin}/ui`);
        return { seen, close: () => context.close() };
      };
      const operator = await open('operator');
      await operator.seen.getByText('certificate noc (operator)').waitFor();
      await operator.seen.getByRole('table', { name: 'Partners' }).getByText('expired.example').waitFor();
      await operator.seen.getByRole('link', { name: 'Decisions' }).click();
      await operator.seen.getByText('As they are given.').waitFor();
      await operator.close();
      const stranger = await open('stranger');
      await stranger.seen.getByLabel('Token of a viewer or an operator').waitFor();
      expect(await stranger.seen.getByRole('navigation').count()).toBe(0);
      await stranger.close();
      await other.close();
    });
  });

  describe('partners', () => {
    test('ok/one partner in full, and why its verdict is what it is', async () => {
      await enter('viewer');
      await page.getByRole('link', { name: 'expired', exact: true }).click();
      await page.getByRole('heading', { name: 'expired' }).waitFor();
      await page.getByRole('table', { name: 'Agreement' }).getByText('expired.example').first().waitFor();
      await page.getByRole('table', { name: 'Header policy' }).getByText('P-Asserted-Identity').first().waitFor();
      await page.getByRole('button', { name: 'Explain' }).first().click();
      await page.getByRole('table', { name: 'Checks' }).getByText('fail', { exact: true }).first().waitFor();
      await page.getByRole('button', { name: 'Close' }).click();
      await expect.poll(() => page.getByRole('table', { name: 'Checks' }).count()).toBe(0);
      await page.getByRole('link', { name: 'All partners' }).click();
      await row('good.example').getByRole('link').click();
      await page.getByRole('table', { name: 'Certificates seen' }).getByText('CN=good.example').waitFor();
    });
  });

  describe('decisions', () => {
    test('ok/they come by themselves, are filtered, held and explained', async () => {
      await enter('viewer', 'decisions');
      await row('stranger').waitFor();
      const rows = page.getByRole('table', { name: 'Decisions' }).locator('tbody tr');
      const before = await rows.count();
      await on.ask();
      await expect.poll(() => rows.count(), { timeout: 20_000 }).toBe(before + 6);
      await page.getByRole('button', { name: 'Hold' }).click();
      await on.ask();
      await page.getByRole('button', { name: 'Hold', pressed: true }).waitFor();
      await page.getByLabel('Filter').fill('forged');
      // What was there when it was held, and nothing of what came since.
      await expect.poll(() => rows.count()).toBe((before + 6) / 6);
      await page.getByRole('button', { name: 'Hold' }).click();
      await expect.poll(() => rows.count(), { timeout: 20_000 }).toBe((before + 12) / 6);
      await page.getByLabel('Filter').fill('');
      await page.getByLabel('Verdict').selectOption('trusted');
      await expect
        .poll(async () => (await rows.allTextContents()).every((text) => text.includes('✓ trusted')))
        .toBe(true);
      await page.getByLabel('Question').selectOption('trust.message');
      await page.getByText('No answer fits.').waitFor();
      await page.getByLabel('Question').selectOption('');
      await rows.first().waitFor();
      await page.getByRole('button', { name: 'Explain' }).first().click();
      await page.getByRole('table', { name: 'Checks' }).waitFor();
    });
  });

  describe('decisions without siptrustd', () => {
    test('ok/the page says that it is gone, and goes on where it was when it is back', async () => {
      await enter('viewer', 'decisions');
      await page.getByText('As they are given.').waitFor();
      await on.daemon.stop();
      await page.getByRole('alert').filter({ hasText: 'does not answer' }).first().waitFor();
      await on.daemon.start();
      await page.getByText('As they are given.').waitFor();
      await on.ask();
      await row('stranger').waitFor();
      await expect.poll(() => page.getByRole('alert').count(), { timeout: 20_000 }).toBe(0);
      // The browser says itself that the connection was lost.
      expect(errors.splice(0).every((text) => text.includes('ERR_'))).toBe(true);
    });
    test('ok/of one that hangs, too, within half a minute, on every view', async () => {
      await enter('viewer', 'decisions');
      await page.getByText('As they are given.').waitFor();
      on.daemon.signal('SIGSTOP');
      try {
        await page.getByText('Not connected.').waitFor({ timeout: 30_000 });
        await page.getByRole('link', { name: 'Partners' }).click();
        const banner = page.getByRole('alert').filter({ hasText: 'what stands below is of before' });
        await banner.waitFor({ timeout: 30_000 });
        on.daemon.signal('SIGCONT');
        await expect.poll(() => page.getByRole('alert').count(), { timeout: 30_000 }).toBe(0);
        await page.getByRole('table', { name: 'Partners' }).waitFor();
      } finally {
        on.daemon.signal('SIGCONT');
      }
      errors.splice(0);
    }, 120_000);
  });

  describe('policy', () => {
    test('ok/a file that is no good is told; read again when it is good; a candidate is seen and dropped', async () => {
      await enter('operator', 'policy');
      await page.getByText('The file that was read last is good.').waitFor();
      on.write({ own_domains: ['not a domain'] });
      const again = page.getByRole('button', { name: 'Read the policy file again' });
      await again.click();
      await page.getByRole('heading', { name: 'Problems of the file' }).waitFor();
      await page.getByRole('link', { name: 'Partners' }).click();
      const banner = page.getByRole('alert').filter({ hasText: 'an older policy is in force' });
      await banner.waitFor();
      await banner.getByRole('link', { name: 'See why' }).click();
      on.write();
      await again.click();
      await page.getByText('The file that was read last is good.').waitFor();
      await page.getByText('No candidate is tried.').waitFor();
      await on.daemon.call('policy.candidate', { file: join(directory.path, 'siptrust.yaml') });
      await page.reload();
      await page.getByText('would change 0 answers').waitFor();
      page.once('dialog', (dialog) => void dialog.accept());
      await page.getByRole('button', { name: 'Drop the candidate' }).click();
      await page.getByText('No candidate is tried.').waitFor();
    });
    test('ok/a candidate is tried, promoted, and stands in the history with what it changed and who did it', async () => {
      await enter('operator', 'policy');
      const file = join(directory.path, 'candidate.yaml');
      const text = readFileSync(join(directory.path, 'siptrust.yaml'), 'utf8');
      writeFileSync(file, text.replace('- good.example', '- better.example'));
      const path = page.getByLabel('File on the machine of siptrustd');
      await path.fill('nowhere.yaml');
      await page.getByRole('button', { name: 'Try it as a candidate' }).click();
      await page.getByRole('status').filter({ hasText: 'an absolute path' }).waitFor();
      await path.fill(file);
      await page.getByRole('button', { name: 'Try it as a candidate' }).click();
      await page.getByText('would change 0 answers').waitFor();
      await on.ask();
      const changes = page.getByRole('table', { name: 'Changes', exact: true });
      await changes.getByText('good', { exact: true }).first().waitFor();
      const promote = page.getByRole('button', { name: 'Promote the candidate' });
      page.once('dialog', (dialog) => void dialog.dismiss());
      await promote.click();
      expect(readFileSync(join(directory.path, 'siptrust.yaml'), 'utf8')).toBe(text);
      page.once('dialog', (dialog) => void dialog.accept());
      await promote.click();
      await page.getByText('No candidate is tried.').waitFor();
      const latest = page.getByRole('table', { name: 'Revisions' }).locator('tbody tr').first();
      await latest.getByText('to promote').waitFor();
      await latest.locator('summary').click();
      await latest.getByText('agreement good changed domains').waitFor();
      await latest.getByText('better.example').first().waitFor();
      await page.getByRole('table', { name: 'Changes by operators' }).getByText('policy.promote').first().waitFor();
      on.write();
      await page.getByRole('button', { name: 'Read the policy file again' }).click();
      await latest.getByText('token operator from').waitFor();
    });
    test('fail/a viewer has no buttons', async () => {
      await enter('viewer', 'policy');
      await page.getByRole('table', { name: 'Revisions' }).waitFor();
      expect(await page.getByRole('button', { name: /policy file|candidate/ }).count()).toBe(0);
      await page.getByRole('link', { name: 'CRLs' }).click();
      await page.getByRole('table', { name: 'CRLs' }).waitFor();
      expect(await page.getByRole('button', { name: 'Fetch all again' }).count()).toBe(0);
      await page.getByRole('link', { name: 'Pins', exact: true }).click();
      await row('good.example').getByText('for operators').waitFor();
      expect(await page.getByRole('button', { name: /Approve|Drop/ }).count()).toBe(0);
    });
  });

  describe('pins and lists', () => {
    test('ok/an operator approves a key, and the partner is trusted; no is no; Drop forgets it', async () => {
      await enter('operator', 'pins');
      const approve = row('pinned.example').getByRole('button', { name: 'Approve' });
      page.once('dialog', (dialog) => void dialog.dismiss());
      await approve.click();
      expect(await on.daemon.call('pin.list', { agreement: 'pinned', state: 'approved' })).toEqual([]);
      page.once('dialog', (dialog) => void dialog.accept());
      await approve.click();
      await expect.poll(() => row('pinned.example').count()).toBe(0);
      await on.ask();
      expect(await on.daemon.call('partner.show', { name: 'pinned' })).toMatchObject({ trust: 'trusted' });
      await page.getByLabel('approved ones too').check();
      await row('pinned.example').getByText('enforced').waitFor();
      await page.getByLabel('Filter').fill('pinned');
      await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
      page.once('dialog', (dialog) => void dialog.accept());
      await page.getByRole('button', { name: 'Drop' }).click();
      await page.getByText('No pin waits.').waitFor();
    });
    test('ok/CRLs, and fetching them again', async () => {
      await enter('operator', 'crls');
      await row('Operator B CA').getByText('current').waitFor();
      await page.getByRole('button', { name: 'Fetch all again' }).click();
      await page.getByRole('status').filter({ hasText: 'done' }).waitFor();
    });
  });

  describe('for everybody', () => {
    test.each(['light', 'dark'] as const)('ok/%s: each view fits the window', async (colorScheme) => {
      await on.ask();
      await enter('operator');
      await page.emulateMedia({ colorScheme });
      for (const [place, title] of [
        ...[['partners', 'Partners'] as const, ['decisions', 'Decisions'] as const, ['policy', 'Policy'] as const],
        ...[['pins', 'Pins'] as const, ['crls', 'CRLs'] as const, ['partner/expired', 'expired'] as const],
      ]) {
        await page.evaluate((hash) => {
          location.hash = hash;
        }, `#/${place}`);
        await page.getByRole('heading', { name: title, level: 2 }).waitFor();
        await page.getByRole('table').first().waitFor();
        const [inner = 0, outer = 0] = await page.evaluate(() => [document.body.scrollWidth, window.innerWidth]);
        expect([place, inner <= outer]).toEqual([place, true]);
        if (SHOTS !== undefined) {
          await page.screenshot({ path: join(SHOTS, `${colorScheme}-${title}.png`), fullPage: true });
        }
      }
    });
    test('ok/by keyboard alone: in, past the head, to a partner', async () => {
      await open();
      await page.getByLabel('Token of a viewer or an operator').waitFor();
      await page.keyboard.press('Tab');
      await page.keyboard.type(on.tokens.viewer);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Space');
      await page.getByRole('table', { name: 'Partners' }).waitFor();
      await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
      await page.getByRole('button', { name: 'To the content' }).focus();
      await page.keyboard.press('Enter');
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
      for (let tabs = 0; tabs < 8; tabs += 1) {
        await page.keyboard.press('Tab');
        if ((await page.evaluate(() => document.activeElement?.textContent)) === 'expired') break;
      }
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'expired' }).waitFor();
    });
    test.each(['light', 'dark'] as const)(
      'ok/%s: text and ground differ by 4.5 to 1 (WCAG 1.4.3)',
      async (colorScheme) => {
        await enter('viewer');
        await page.emulateMedia({ colorScheme });
        await page.getByRole('table', { name: 'Partners' }).waitFor();
        const ratios = await page.evaluate(() => {
          const light = (text: string): number => {
            const [r = 0, g = 0, b = 0] = (text.match(/[\d.]+/g) ?? []).map((part) => {
              const value = Number(part) / 255;
              return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const ground = light(getComputedStyle(document.body).backgroundColor);
          return ['body', '.who', '.good', '.bad', 'td, th', 'tbody a'].map((selector) => {
            const element = document.querySelector(selector);
            const [low = 0, high = 0] = [
              ground,
              element === null ? ground : light(getComputedStyle(element).color),
            ].sort((a, b) => a - b);
            return (high + 0.05) / (low + 0.05);
          });
        });
        expect(Math.min(...ratios)).toBeGreaterThan(4.5);
      },
    );
    test('fail/a place that does not exist, and a partner that does not', async () => {
      await enter('viewer', 'nowhere');
      await page.getByText('There is no view of this name.').waitFor();
      await page.evaluate(() => {
        location.hash = '#/partner/nobody%20<b>';
      });
      await page.getByRole('alert').first().waitFor();
      expect(await page.locator('h2').textContent()).toBe('nobody <b>');
    });
  });

  describe('5,000 partners', () => {
    beforeAll(() => on.grow(PARTNERS));

    test('ok/those that are not trusted come first, with the reason; the rest is a page away', async () => {
      await enter('viewer');
      await page.getByText(`${PARTNERS} partners`).waitFor();
      const rows = page.getByRole('table', { name: 'Partners' }).locator('tbody tr');
      expect(await rows.count()).toBe(100);
      expect(await rows.nth(0).textContent()).toMatch(/^expired.*untrusted.*cert-time/);
      expect(await row('ending.example').textContent()).toMatch(/ending.example✓ trusted.*peer-certificate: [45] days/);
      if (PICTURE !== undefined) await page.screenshot({ path: PICTURE });
      await page.getByRole('button', { name: 'Next' }).click();
      await page.getByText(`Shown: 101 to 200 of ${PARTNERS}.`).waitFor();
      await page.getByRole('button', { name: 'Previous' }).click();
      await page.getByText('Shown: 1 to 100').waitFor();
    });
    test('ok/the filter finds one of 5,000; Show and Order do what they say', async () => {
      await enter('viewer');
      await page.getByLabel('Filter').fill('p4321.example');
      await page.getByText('Shown: 1 to 1 of 1.').waitFor();
      await row('p4321').getByText('not asked yet').waitFor();
      await page.getByLabel('Filter').fill('');
      await page.getByLabel('Show').selectOption('trusted');
      await page.getByText(/Shown: 1 to ([23]) of \1\./).waitFor();
      await page.getByLabel('Show').selectOption('');
      await page.getByLabel('Order').selectOption('ends');
      await expect.poll(() => page.locator('tbody tr').first().textContent()).toMatch(/^ending.*peer-certificate/);
      await page.getByLabel('Filter').fill('nobody at all');
      await page.getByText('None fits.').waitFor();
    });
  });
});
