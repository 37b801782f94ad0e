// Opens every message that waits, each with hostile markup: nothing runs, nothing is asked of another host, and the page
// around it stays whole. Run by tests/e2e/test_chromium.py, which holds one message for each line of the payloads.
import assert from 'node:assert/strict';
import { browser, open, origin, person, shot, signIn, wide } from './browser.mjs';

const { REVIEWER, COUNT } = process.env;
const { page, faults } = await open(wide);
const elsewhere = [];
page.on('request', (request) => !/^(data|blob|about):/.test(request.url()) && !request.url().startsWith(origin) && elsewhere.push(request.url()));
page.on('popup', (popup) => faults.push(`a window: ${popup.url()}`));

try {
  await signIn(page, person(REVIEWER), '/reviews');
  await page.getByRole('heading', { name: 'Kiểm duyệt thư gửi đi' }).waitFor();
  const list = await page.evaluate(() => fetch('/api/v1/reviews?limit=200').then((answer) => answer.json()));
  assert.equal(list.reviews.length, Number(COUNT));
  for (const { id, subject } of list.reviews) {
    await page.goto(`${origin}/reviews/awaiting/${id}`);
    await page.frameLocator('iframe[title="Nội dung thư"]').locator('body').waitFor({ state: 'attached' });
    assert.ok(await page.getByRole('button', { name: 'Duyệt và gửi' }).isVisible(), subject);
    assert.equal(page.frames().length, 2, `${subject}: a frame within the frame`);
    assert.equal(new URL(page.url()).pathname, `/reviews/awaiting/${id}`, subject);
    assert.deepEqual([faults, elsewhere], [[], []], subject);
  }
  await page.screenshot({ path: shot('hostile') });
} finally {
  await browser.close();
}
