// A clerk reads mail: lists, reads, moves and takes back, searches, works by keys alone, and on a phone. Run by
// tests/e2e/test_webmail.py, which puts the letters there.
import assert from 'node:assert/strict';
import { barriers, browser, narrowest, open, origin, overflow, person, shot, signIn, wide } from './browser.mjs';

const { CLERK } = process.env;
const rows = (page) => page.getByRole('list', { name: 'Danh sách thư' }).locator('a');
const row = (page, subject) => rows(page).filter({ hasText: subject });
const title = (page, words) => page.getByRole('region', { name: 'Nội dung' }).getByRole('heading', { level: 1, name: words });
const folder = (page, name) => page.getByRole('navigation', { name: 'Thư mục' }).getByRole('link', { name });

async function inbox(size) {
  const opened = await open(size);
  await signIn(opened.page, person(CLERK), '/mail');
  await row(opened.page, 'Giấy mời họp').waitFor();
  return opened;
}

async function readsAndMoves() {
  const { context, page, faults } = await inbox(wide);
  assert.deepEqual(await barriers(page), []);
  await page.screenshot({ path: shot('mail-list') });
  assert.equal(await folder(page, /Hộp thư đến/).locator('.count').textContent(), '33');

  // A conversation: what was read is folded, what is unread is open, and read from now on.
  await row(page, 'Kế hoạch kiểm tra').click();
  await title(page, 'Kế hoạch kiểm tra hiện trường').waitFor();
  await page.locator('.pages').getByText('Nhất trí với kế hoạch.').waitFor();
  await page.getByText('Gửi từ ltmai@khanhhoa.example, trong hệ thống này.').last().waitFor();
  assert.deepEqual(await barriers(page), []);
  await page.screenshot({ path: shot('mail-conversation') });
  await page.waitForFunction(() => document.querySelector('.folders .count')?.textContent === '32');

  // Archived at once, and brought back.
  await page.getByRole('toolbar').getByRole('button', { name: 'Lưu trữ' }).click();
  await page.getByText('Đã chuyển 1 mục tới “Lưu trữ”.').waitFor();
  assert.equal(await row(page, 'Kế hoạch kiểm tra').count(), 0);
  await page.screenshot({ path: shot('mail-archived') });
  await page.getByRole('button', { name: 'Hoàn tác' }).click();
  await row(page, 'Kế hoạch kiểm tra').waitFor();

  // Several at once, into a folder that is made for them.
  await page.getByRole('button', { name: 'Tạo thư mục' }).click();
  await page.getByLabel('Tên thư mục').fill('Dự án cầu Xóm Bóng');
  await page.screenshot({ path: shot('mail-folder') });
  await page.getByRole('button', { name: 'Lưu', exact: true }).click();
  await folder(page, 'Dự án cầu Xóm Bóng').waitFor();
  const boxes = page.getByRole('list', { name: 'Danh sách thư' }).getByRole('checkbox');
  await boxes.nth(3).click();
  await boxes.nth(5).click({ modifiers: ['Shift'] });
  await page.getByText('Đã chọn 3').waitFor();
  await page.screenshot({ path: shot('mail-chosen') });
  await rows(page).nth(4).dragTo(folder(page, 'Dự án cầu Xóm Bóng'));
  await page.getByText('Đã chuyển 3 mục tới “Dự án cầu Xóm Bóng”.').waitFor();
  await folder(page, 'Dự án cầu Xóm Bóng').click();
  await page.waitForFunction(() => document.querySelectorAll('[data-row]').length === 3);
  assert.deepEqual(faults, []);
  await context.close();
}

async function letterIsHarmless() {
  const { context, page, faults } = await inbox(wide);
  const elsewhere = [];
  page.on('request', (request) => !request.url().startsWith(origin) && !/^(data|blob|about):/.test(request.url()) && elsewhere.push(request.url()));
  await row(page, 'Báo cáo tuần 47').click();
  const letter = page.frameLocator('iframe[title="Nội dung thư"]');
  await letter.getByText('Kính gửi quý Sở').waitFor();
  assert.equal(await letter.locator('script, form, input').count(), 0);
  await letter.getByRole('link', { name: 'cổng thông tin' }).hover();
  await page.getByText('https://sonoivu.gov.example/van-ban').waitFor();
  await page.screenshot({ path: shot('mail-letter') });
  assert.deepEqual([elsewhere, faults], [[], []]);

  // Attachments: one by one, shown, and all together.
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: /Tải cả 2 tệp/ }).click();
  const archive = await saved;
  assert.equal(archive.suggestedFilename(), 'Báo cáo tuần 47.zip');
  await archive.saveAs(`${process.env.SHOTS}/all.zip`);
  await page.getByRole('button', { name: 'Xem so-do.png' }).click();
  await page.getByRole('dialog').locator('img').waitFor();
  await page.screenshot({ path: shot('mail-picture') });
  await page.getByRole('dialog').getByRole('button', { name: 'Đóng' }).click();
  await page.getByRole('button', { name: 'Việc khác với thư này' }).click();
  await page.getByRole('button', { name: 'Mã nguồn thư' }).click();
  await page.getByRole('dialog').getByText('Subject: =?utf-8?').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Đóng' }).click();

  // Pictures of other hosts load when they are asked for, and not before.
  await page.getByRole('button', { name: 'Hiện hình ảnh' }).click();
  await page.waitForFunction(() => document.querySelector('iframe[src="/letter-pictures.html"]'));
  await letter.getByText('Kính gửi quý Sở').waitFor();
  assert.ok(elsewhere.every((url) => url.startsWith('https://tracker.example/')), elsewhere.join());
  await context.close();
}

async function searches() {
  const { context, page, faults } = await inbox(wide);
  await page.keyboard.press('/');
  await page.getByRole('textbox', { name: 'Tìm thư' }).fill('giấy mời có:tệp');
  await page.keyboard.press('Enter');
  await page.getByText('Không tìm thấy thư nào.').waitFor();
  await page.getByRole('textbox', { name: 'Tìm thư' }).fill('tiêuđề:"giấy mời"');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Kết quả tìm' }).waitFor();
  await row(page, 'Giấy mời họp').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('[data-row]').length === 1);
  await page.screenshot({ path: shot('mail-search') });
  await page.getByRole('button', { name: 'Thôi tìm' }).click();
  await page.getByRole('button', { name: 'Có tệp' }).click();
  await row(page, 'Báo cáo tuần 47').waitFor();
  assert.equal(await row(page, 'Giấy mời họp').count(), 0);
  assert.deepEqual(faults, []);
  await context.close();
}

async function worksByKeys() {
  const { context, page, faults } = await inbox(wide);
  const keys = async (...all) => {
    for (const key of all) await page.keyboard.press(key);
  };
  await keys('?');
  await page.getByRole('heading', { name: 'Phím tắt' }).waitFor();
  await page.screenshot({ path: shot('mail-keys') });
  await keys('Escape', 'j', 'j', 'Enter');
  const first = await page.getByRole('region', { name: 'Nội dung' }).getByRole('heading', { level: 1 }).textContent();
  await keys('j');
  await page.waitForFunction((was) => document.querySelector('.pages h1')?.textContent !== was, first);
  const second = await page.getByRole('region', { name: 'Nội dung' }).getByRole('heading', { level: 1 }).textContent();
  await keys('s');
  await page.locator('.row.open .star.on').waitFor();
  await keys('e');
  await page.getByText('Đã chuyển 1 mục tới “Lưu trữ”.').waitFor();
  await keys('z');
  await page.getByText('Đã hoàn tác.').waitFor();
  await row(page, second.trim()).first().waitFor();
  await keys('u', 'x');
  await page.getByText('Đã chọn 1').waitFor();
  await keys('Escape');
  assert.deepEqual(faults, []);
  await context.close();
}

async function onThePhone() {
  const { context, page, faults } = await inbox(narrowest);
  assert.equal(await overflow(page), 0);
  assert.deepEqual(await barriers(page), []);
  await page.screenshot({ path: shot('phone-mail') });
  await row(page, 'Báo cáo tuần 47').click();
  await page.frameLocator('iframe[title="Nội dung thư"]').getByText('Kính gửi quý Sở').waitFor();
  assert.equal(await overflow(page), 0);
  await page.screenshot({ path: shot('phone-letter') });
  await page.getByRole('button', { name: 'Về danh sách' }).click();
  await page.getByRole('button', { name: 'Thư mục', exact: true }).click();
  await folder(page, 'Thùng rác').click();
  await page.getByText('Thùng rác trống.').waitFor();
  await page.screenshot({ path: shot('phone-empty') });
  assert.deepEqual(faults, []);
  await context.close();
}

/** What comes is seen without asking. */
async function hears() {
  const { context, page } = await inbox(wide);
  process.stdout.write('ready\n');
  await row(page, 'Thư vừa tới').waitFor({ timeout: 20_000 });
  await context.setOffline(true);
  await page.getByText('Mất kết nối với máy chủ.').waitFor({ timeout: 20_000 });
  await page.screenshot({ path: shot('mail-offline') });
  await context.setOffline(false);
  await page.getByText('Mất kết nối với máy chủ.').waitFor({ state: 'detached', timeout: 20_000 });
  await context.close();
}

async function inEnglishAndDark() {
  const { context, page } = await inbox(wide);
  await page.emulateMedia({ colorScheme: 'dark' });
  await row(page, 'Báo cáo tuần 47').click();
  await page.frameLocator('iframe[title="Nội dung thư"]').getByText('Kính gửi quý Sở').waitFor();
  assert.deepEqual(await barriers(page), []);
  await page.screenshot({ path: shot('mail-dark') });
  await page.getByRole('button', { name: /tùy chọn và đăng xuất/ }).click();
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('heading', { name: 'Inbox' }).waitFor();
  await page.emulateMedia({ colorScheme: 'light' });
  await page.screenshot({ path: shot('mail-english') });
  await context.close();
}

const journeys = { letterIsHarmless, readsAndMoves, searches, worksByKeys, onThePhone, inEnglishAndDark, hears };

try {
  await journeys[process.env.JOURNEY]();
} finally {
  await browser.close();
}
