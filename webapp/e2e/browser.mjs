// A real browser at the server under test, for the flows beside this file.
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const { ORIGIN, CHROMIUM, SHOTS } = process.env;
mkdirSync(SHOTS, { recursive: true });

export const wide = { width: 1366, height: 768 };
export const narrow = { width: 390, height: 844 };
export const shot = (name) => `${SHOTS}/${name}.png`;
export const origin = ORIGIN;
export const person = (text) => JSON.parse(text);

export const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
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

export async function signIn(page, who) {
  await page.goto(ORIGIN);
  await page.getByLabel('Tên đăng nhập').fill(who.username);
  await page.getByLabel('Mật khẩu', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Đăng nhập' }).click();
}

/** How many pixels a page is too wide. */
export const overflow = (page) => page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth));
