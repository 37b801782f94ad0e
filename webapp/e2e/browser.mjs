// A real browser at the server under test, for the flows beside this file.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const { ORIGIN, CHROMIUM, SHOTS } = process.env;
mkdirSync(SHOTS, { recursive: true });

export const wide = { width: 1366, height: 768 };
export const narrow = { width: 390, height: 844 };
export const narrowest = { width: 360, height: 740 };
export const shot = (name) => `${SHOTS}/${name}.png`;
export const origin = ORIGIN;
export const person = (text) => JSON.parse(text);

export const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});

/** A page of its own; `faults` gathers what should not happen. */
export async function open(size) {
  const context = await browser.newContext({ viewport: size, locale: 'vi-VN' });
  const page = await context.newPage();
  const faults = [];
  // A 401 before sign-in is an answer, not a fault.
  page.on('console', (m) => m.type() === 'error' && !m.text().includes('401') && faults.push(`${m.text()} ${m.location().url}`));
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('dialog', (dialog) => faults.push(`a dialog: ${dialog.message()}`));
  return { context, page, faults };
}

export async function signIn(page, who, path = '/') {
  await page.goto(`${ORIGIN}${path}`);
  await page.getByLabel('Tên đăng nhập').fill(who.username);
  await page.getByLabel('Mật khẩu', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Đăng nhập' }).click();
}

const AXE = createRequire(import.meta.url).resolve('axe-core');

/** What a person who cannot see or point would stumble over: rules of WCAG 2.1 AA that are broken seriously. */
export async function barriers(page) {
  // The policy allows no inline script, so the rules come in by the browser's own door.
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const found = await page.evaluate(() => globalThis.axe.run(document, { iframes: false, runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }));
  return found.violations
    .filter((violation) => ['serious', 'critical'].includes(violation.impact))
    .map((violation) => `${violation.id}: ${violation.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`);
}

/** How many pixels a page is too wide. */
export const overflow = (page) => page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth));
