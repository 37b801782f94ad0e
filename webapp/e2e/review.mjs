// The review in a real browser: signs in, reads, returns with a reason, approves; changes a first password; looks at the page
// narrow and wide. Run by tests/e2e/test_chromium.py, which starts the server and holds two messages.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const { ORIGIN, CHROMIUM, SHOTS, REVIEWER, AUTHOR, NEWCOMER } = process.env;
const person = (text) => JSON.parse(text);
mkdirSync(SHOTS, { recursive: true });

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});

async function open(size) {
  const context = await browser.newContext({ viewport: size, locale: 'vi-VN' });
  const page = await context.newPage();
  const faults = [];
  // A 401 before sign-in is an answer, not a fault.
  page.on('console', (m) => m.type() === 'error' && !m.text().includes('401') && faults.push(`${m.text()} ${m.location().url}`));
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('dialog', (dialog) => faults.push(`a dialog: ${dialog.message()}`));
  return { context, page, faults };
}

async function signIn(page, who) {
  await page.goto(ORIGIN);
  await page.getByLabel('Tên đăng nhập').fill(who.username);
  await page.getByLabel('Mật khẩu', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Đăng nhập' }).click();
}

const wide = { width: 1366, height: 768 };
const narrow = { width: 390, height: 844 };

async function reviewerDecides() {
  const { context, page, faults } = await open(wide);
  await page.goto(ORIGIN);
  await page.screenshot({ path: `${SHOTS}/sign-in.png` });
  await signIn(page, person(REVIEWER));
  await page.getByRole('heading', { name: 'Kiểm duyệt thư gửi đi' }).waitFor();
  await page.getByText('2 thư chờ quý vị duyệt').waitFor();
  await page.getByRole('link', { name: /Báo cáo trả lại/ }).click();
  await page.getByRole('button', { name: 'Duyệt và gửi' }).waitFor();
  const letter = page.frameLocator('iframe[title="Nội dung thư"]');
  await letter.getByText('Kính gửi quý Sở').waitFor();
  assert.equal(await letter.locator('script').count(), 0);
  await page.getByText('bao-cao.pdf').waitFor();
  await page.screenshot({ path: `${SHOTS}/review.png` });
  await page.getByRole('button', { name: 'Trả lại' }).click();
  const submit = page.getByRole('dialog').getByRole('button', { name: 'Trả lại' });
  assert.ok(await submit.isDisabled(), 'a return needs a reason');
  await page.getByLabel('Lý do').fill('Bổ sung phụ lục');
  await page.screenshot({ path: `${SHOTS}/return.png` });
  await submit.click();
  await page.getByText('Đã trả lại “Báo cáo trả lại”.').waitFor();
  await page.getByRole('link', { name: /Báo cáo được duyệt/ }).click();
  await page.getByRole('button', { name: 'Duyệt và gửi' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Duyệt và gửi' }).click();
  await page.getByText('Đã duyệt và gửi “Báo cáo được duyệt”.').waitFor();
  await page.getByText('Không có thư nào chờ duyệt.').waitFor();
  await page.getByRole('link', { name: 'Hộp thư đi (bản mẫu)' }).click();
  await page.getByText('Báo cáo được duyệt').first().waitFor();
  await page.screenshot({ path: `${SHOTS}/outbox.png` });
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('heading', { name: 'Outbox (demo)' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/outbox');
  assert.deepEqual(faults, []);
  await context.close();
}

async function authorReads() {
  const { context, page, faults } = await open(narrow);
  await signIn(page, person(AUTHOR));
  await page.getByRole('link', { name: 'Thư tôi gửi' }).click();
  await page.getByText('Trả lại', { exact: true }).first().waitFor();
  await page.screenshot({ path: `${SHOTS}/phone-list.png` });
  await page.getByRole('link', { name: /Báo cáo trả lại/ }).click();
  await page.getByText('Bổ sung phụ lục').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Duyệt và gửi' }).count(), 0);
  await page.screenshot({ path: `${SHOTS}/phone-review.png`, fullPage: true });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} px too wide`);
  assert.deepEqual(faults, []);
  await context.close();
}

// S4.2d (khoản 2 Điều 4)
async function newcomerChangesThePassword() {
  const { context, page, faults } = await open(wide);
  const who = person(NEWCOMER);
  await signIn(page, who);
  await page.getByRole('heading', { name: 'Đổi mật khẩu' }).waitFor();
  const submit = page.getByRole('button', { name: 'Đổi mật khẩu' });
  await page.getByLabel('Mật khẩu đang dùng').fill(who.password);
  await page.getByLabel('Mật khẩu mới', { exact: true }).fill('ngan');
  assert.ok(await submit.isDisabled());
  await page.screenshot({ path: `${SHOTS}/first-password.png` });
  const next = 'cau xom bong 2026';
  await page.getByLabel('Mật khẩu mới', { exact: true }).fill(next);
  await page.getByLabel('Nhập lại mật khẩu mới').fill(next);
  await submit.click();
  await page.getByText('Đã đổi mật khẩu. Đăng nhập lại bằng mật khẩu mới.').waitFor();
  await signIn(page, { ...who, password: next });
  await page.getByRole('heading', { name: 'Kiểm duyệt thư gửi đi' }).waitFor();
  assert.deepEqual(faults, []);
  await context.close();
}

try {
  await reviewerDecides();
  await authorReads();
  await newcomerChangesThePassword();
} finally {
  await browser.close();
}
