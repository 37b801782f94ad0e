// The review in a real browser: signs in, reads, returns with a reason, approves; changes a first password; looks at the page
// narrow and wide. Run by tests/e2e/test_chromium.py, which starts the server and holds two messages.
import assert from 'node:assert/strict';
import { browser, narrow, open, origin, overflow, person, shot, signIn, wide } from './browser.mjs';

const { REVIEWER, AUTHOR, NEWCOMER } = process.env;

async function reviewerDecides() {
  const { context, page, faults } = await open(wide);
  await page.goto(origin);
  await page.screenshot({ path: shot('sign-in') });
  await signIn(page, person(REVIEWER), '/reviews');
  await page.getByRole('heading', { name: 'Kiểm duyệt thư gửi đi' }).waitFor();
  await page.getByText('2 thư chờ quý vị duyệt').waitFor();
  await page.getByRole('link', { name: /Báo cáo trả lại/ }).click();
  await page.getByRole('button', { name: 'Duyệt và gửi' }).waitFor();
  const letter = page.frameLocator('iframe[title="Nội dung thư"]');
  await letter.getByText('Kính gửi quý Sở').waitFor();
  assert.equal(await letter.locator('script').count(), 0);
  await page.getByRole('link', { name: 'bao-cao.pdf' }).waitFor();
  await page.screenshot({ path: shot('review') });
  await page.getByRole('button', { name: 'Trả lại' }).click();
  const submit = page.getByRole('dialog').getByRole('button', { name: 'Trả lại' });
  assert.ok(await submit.isDisabled(), 'a return needs a reason');
  await page.getByLabel('Lý do').fill('Bổ sung phụ lục');
  await page.screenshot({ path: shot('return') });
  await submit.click();
  await page.getByText('Đã trả lại “Báo cáo trả lại”.').waitFor();
  await page.getByRole('link', { name: /Báo cáo được duyệt/ }).click();
  // S9.1 (Điều 9): what was not opened cannot be approved.
  const approve = page.getByRole('button', { name: 'Duyệt và gửi' });
  for (const name of ['bao-cao.pdf', 'phu-luc.pdf.exe']) {
    assert.ok(await approve.isDisabled(), name);
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: `Mở ${name}` }).click();
    assert.equal((await saved).suggestedFilename(), name);
    await page.getByRole('button', { name: `Mở ${name}` }).waitFor({ state: 'detached' });
  }
  await page.screenshot({ path: shot('opened') });
  await approve.click();
  await page.getByRole('dialog').getByRole('button', { name: 'Duyệt và gửi' }).click();
  await page.getByText('Đã duyệt và gửi “Báo cáo được duyệt”.').waitFor();
  await page.getByText('Không có thư nào chờ duyệt.').waitFor();
  await page.getByRole('link', { name: 'Hộp thư đi (bản mẫu)' }).click();
  await page.getByText('Báo cáo được duyệt').first().waitFor();
  await page.screenshot({ path: shot('outbox') });
  await page.getByRole('button', { name: /tùy chọn và đăng xuất/ }).click();
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('heading', { name: 'Outbox (demo)' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/outbox');
  assert.deepEqual(faults, []);
  await context.close();
}

async function authorReads() {
  const { context, page, faults } = await open(narrow);
  await signIn(page, person(AUTHOR), '/reviews');
  await page.getByRole('link', { name: 'Thư tôi gửi' }).click();
  await page.getByText('Trả lại', { exact: true }).first().waitFor();
  await page.screenshot({ path: shot('phone-list') });
  await page.getByRole('link', { name: /Báo cáo trả lại/ }).click();
  await page.getByText('Bổ sung phụ lục').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Duyệt và gửi' }).count(), 0);
  await page.screenshot({ path: shot('phone-review'), fullPage: true });
  assert.equal(await overflow(page), 0);
  assert.deepEqual(faults, []);
  await context.close();
}

// S4.2d (khoản 2 Điều 4)
async function newcomerChangesThePassword() {
  const { context, page, faults } = await open(wide);
  const who = person(NEWCOMER);
  await signIn(page, who, '/reviews');
  await page.getByRole('heading', { name: 'Đổi mật khẩu' }).waitFor();
  const submit = page.getByRole('button', { name: 'Đổi mật khẩu' });
  await page.getByLabel('Mật khẩu đang dùng').fill(who.password);
  await page.getByLabel('Mật khẩu mới', { exact: true }).fill('ngan');
  assert.ok(await submit.isDisabled());
  await page.screenshot({ path: shot('first-password') });
  const next = 'cau xom bong 2026';
  await page.getByLabel('Mật khẩu mới', { exact: true }).fill(next);
  await page.getByLabel('Nhập lại mật khẩu mới').fill(next);
  await submit.click();
  await page.getByText('Đã đổi mật khẩu. Đăng nhập lại bằng mật khẩu mới.').waitFor();
  await signIn(page, { ...who, password: next }, '/reviews');
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
