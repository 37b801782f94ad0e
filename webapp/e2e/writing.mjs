// Letters are written in the browser: an answer with a file that is taken back and sent, a draft that outlives the server and
// the page, warnings, Vietnamese typed through an input method. Run by tests/e2e/test_chromium.py.
import assert from 'node:assert/strict';
import { browser, narrow, open, overflow, person, shot, signIn, wide } from './browser.mjs';

const { FLOW, PERSON } = process.env;
const who = person(PERSON);
const field = (page, name) => page.getByLabel(name, { exact: true });
const to = (page) => page.getByRole('combobox', { name: 'Gửi', exact: true });
const body = (page) => page.getByRole('textbox', { name: 'Nội dung thư' });

async function mail(size) {
  const opened = await open(size);
  await signIn(opened.page, who);
  await opened.page.getByRole('link', { name: 'Thư', exact: true }).click();
  await opened.page.getByRole('button', { name: 'Soạn thư' }).waitFor();
  return opened;
}

async function answers() {
  const { context, page, faults } = await mail(wide);
  await page.getByText('Đề nghị chị báo cáo.').first().click();
  await page.getByRole('button', { name: 'Trả lời', exact: true }).last().click();
  await body(page).click();
  await page.keyboard.type('Kính gửi anh,');
  await page.keyboard.press('Enter');
  await page.keyboard.type('Em xin gửi kèm báo cáo.');
  await page.getByRole('button', { name: 'Thư đang trả lời' }).click();
  await page.setInputFiles('input[type=file]', { name: 'báo cáo.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4 x') });
  await page.getByRole('button', { name: 'Bỏ tệp báo cáo.pdf' }).waitFor();
  await page.getByText(/Đã lưu nháp/).waitFor();
  await page.screenshot({ path: shot('answer') });
  await page.keyboard.press('Control+Enter');
  await confirm(page);
  await page.getByText('Đã gửi thư.').waitFor();
  await page.screenshot({ path: shot('sent') });
  await page.getByRole('button', { name: 'Hoàn tác' }).click();
  await page.getByText('Đã lấy lại thư').waitFor();
  await body(page).getByText('Em xin gửi kèm báo cáo.').waitFor();
  await body(page).click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type(' Trân trọng.');
  await page.getByRole('button', { name: 'Gửi', exact: true }).click();
  await confirm(page);
  await page.getByText('Đã gửi thư.').waitFor();
  assert.deepEqual(faults, []);
  await context.close();
}

/** Whom one writes to for the first time is told; that is no reason not to. */
async function confirm(page) {
  const told = page.getByRole('dialog', { name: 'Xem lại trước khi gửi' });
  const sent = page.getByText('Đã gửi thư.');
  await told.or(sent).first().waitFor();
  if (await told.isVisible()) await told.getByRole('button', { name: 'Vẫn gửi' }).click();
}

async function survives() {
  const { context, page, faults } = await mail(wide);
  await page.getByRole('button', { name: 'Soạn thư' }).click();
  await body(page).waitFor();
  await context.setOffline(true);
  await field(page, 'Tiêu đề').fill('Không được mất');
  await body(page).click();
  await page.keyboard.type('Nội dung quan trọng');
  await page.getByText('Nội dung vẫn còn trên máy này.').waitFor();
  await page.screenshot({ path: shot('kept-here') });
  await page.keyboard.type(', chữ cuối cùng');
  await context.setOffline(false);
  await page.reload();
  await page.getByText('đã được khôi phục').waitFor();
  await body(page).getByText('Nội dung quan trọng, chữ cuối cùng').waitFor();
  await page.getByText(/Đã lưu nháp/).waitFor();
  await page.screenshot({ path: shot('restored') });
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('congvu.unsent'))), []);
  // Without a network the browser itself complains.
  assert.deepEqual(faults.filter((fault) => !/ERR_INTERNET_DISCONNECTED|EventSource/.test(fault)), []);
  await context.close();
}

// S8.3a (Điều 8), S9.1 (Điều 9)
async function warns() {
  const { context, page, faults } = await mail(narrow);
  await page.getByRole('button', { name: 'Soạn thư' }).click();
  await to(page).fill('ai@gmail.com; sai chỗ');
  await page.keyboard.press('Enter');
  await page.getByText('“sai chỗ” chưa phải địa chỉ thư').waitFor();
  await to(page).fill('');
  await body(page).click();
  await page.keyboard.type('Xin gửi kèm hồ sơ.');
  assert.equal(await overflow(page), 0);
  await page.screenshot({ path: shot('phone-writing') });
  await page.getByText('Thư sẽ được duyệt trước khi gửi (Điều 9).').waitFor();
  await page.getByRole('button', { name: 'Gửi duyệt' }).click();
  const told = page.getByRole('dialog', { name: 'Xem lại trước khi gửi' });
  for (const words of ['Hộp thư cá nhân: ai@gmail.com.', 'Điều 8', 'gửi kèm', 'Thư chưa có tiêu đề.']) await told.getByText(words).first().waitFor();
  await page.screenshot({ path: shot('phone-warnings') });
  await told.getByRole('button', { name: 'Quay lại sửa' }).click();
  await field(page, 'Tiêu đề').fill('Hồ sơ');
  await page.getByRole('button', { name: 'Gửi duyệt' }).click();
  await told.getByRole('button', { name: 'Vẫn gửi' }).click();
  await page.getByText('Đã chuyển thư đi duyệt (Điều 9).').waitFor();
  assert.deepEqual(faults, []);
  await context.close();
}

async function types() {
  const { context, page, faults } = await mail(wide);
  await page.getByRole('button', { name: 'Soạn thư' }).click();
  await body(page).click();
  const devices = await context.newCDPSession(page);
  // Telex as an input method shows it, letter by letter.
  const telex = async (...steps) => {
    for (const text of steps) await devices.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
    await devices.send('Input.insertText', { text: steps.at(-1) });
  };
  await telex('T', 'Tr', 'Tra', 'Trả');
  await devices.send('Input.insertText', { text: ' ' });
  await telex('l', 'lo', 'lơ', 'lời');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Control+b');
  await telex('đ', 'đươ', 'được');
  // Unikey takes letters back and puts others in their place.
  await devices.send('Input.insertText', { text: ' viet' });
  for (let letter = 0; letter < 3; letter++) await page.keyboard.press('Backspace');
  await devices.send('Input.insertText', { text: 'iệt' });
  assert.equal((await body(page).innerText()).trim().replace(/\n+/g, '|'), 'Trả lời|được việt');
  await body(page).locator('strong', { hasText: 'được việt' }).waitFor();
  assert.deepEqual(faults, []);
  await context.close();
}

try {
  await { answers, survives, warns, types }[FLOW]();
} finally {
  await browser.close();
}
