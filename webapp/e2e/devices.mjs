// A device gets a password of its own; prints it, so that the test can sign in with it. Run by tests/e2e/test_chromium.py.
import assert from 'node:assert/strict';
import { browser, narrow, open, overflow, person, shot, signIn, wide } from './browser.mjs';

const { PERSON, REVOKE } = process.env;

async function creates() {
  const { context, page, faults } = await open(wide);
  await signIn(page, person(PERSON));
  await page.getByRole('link', { name: 'Thiết lập' }).click();
  await page.getByRole('link', { name: 'Thiết bị' }).click();
  await page.getByRole('heading', { name: 'Thiết bị và ứng dụng thư' }).waitFor();
  const create = page.getByRole('button', { name: 'Tạo mật khẩu' });
  assert.ok(await create.isDisabled());
  await page.getByLabel('Tên thiết bị hoặc ứng dụng').fill('Thunderbird máy phòng');
  await create.click();
  const secret = await page.getByRole('status').locator('code').textContent();
  assert.match(secret, /^([a-z2-9]{4}-){3}[a-z2-9]{4}$/);
  await page.getByText('chưa dùng').waitFor();
  await page.screenshot({ path: shot('devices') });
  await page.reload();
  await page.getByText('Thunderbird máy phòng').waitFor();
  assert.equal(await page.getByText(secret).count(), 0);
  assert.deepEqual(faults, []);
  await context.close();
  process.stdout.write(secret);
}

async function revokes() {
  const { context, page, faults } = await open(narrow);
  await signIn(page, person(PERSON));
  await page.getByRole('link', { name: 'Thiết lập' }).click();
  await page.getByRole('link', { name: 'Thiết bị' }).click();
  await page.getByText(/dùng gần nhất hôm nay/).waitFor();
  await page.screenshot({ path: shot('phone-devices'), fullPage: true });
  assert.equal(await overflow(page), 0);
  await page.getByRole('button', { name: 'Thu hồi mật khẩu của “Thunderbird máy phòng”' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Thu hồi' }).click();
  await page.getByText('Đã thu hồi mật khẩu của “Thunderbird máy phòng”.').waitFor();
  assert.deepEqual(faults, []);
  await context.close();
}

try {
  await (REVOKE ? revokes() : creates());
} finally {
  await browser.close();
}
