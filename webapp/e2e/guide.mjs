// Two people handle a letter of the agency's account, and the pictures of the guide (docs/huong-dan) are taken on the way:
// ORIGIN is a demo with some mail in it and a message that waits for review, STAFF and REVIEWER who sign in.
import assert from 'node:assert/strict';
import { barriers, browser, open, origin, person, shot, signIn } from './browser.mjs';

const size = { width: 1280, height: 760 };
const [staff, reviewer] = [person(process.env.STAFF), person(process.env.REVIEWER)];

const door = await open(size);
await door.page.goto(origin);
await door.page.getByLabel('Tên đăng nhập').fill(staff.username);
await door.page.screenshot({ path: shot('dang-nhap') });
await door.context.close();

const { page, faults } = await open(size);
await signIn(page, reviewer, '/mail');
const rows = page.locator('[data-row]');
await rows.first().waitFor();
await page.waitForTimeout(800);
await page.screenshot({ path: shot('hop-thu') });
await page.setViewportSize({ width: 1366, height: 760 });
await rows.first().click();
await page.getByRole('region', { name: 'Nội dung' }).getByRole('heading', { level: 1 }).waitFor();
await page.waitForTimeout(800);
await page.screenshot({ path: shot('doc-thu') });
await page.getByRole('button', { name: /Xử lý thư/ }).click();
await page.getByRole('button', { name: 'Giao việc' }).click();
const dialog = page.getByRole('dialog');
await dialog.getByLabel('Giao cho').selectOption({ label: staff.name });
await dialog.getByLabel('Ý kiến chỉ đạo').fill('Tham mưu văn bản trả lời, trình trước thứ Sáu.');
await dialog.getByRole('button', { name: '2 ngày' }).click();
assert.deepEqual(await barriers(page), []);
await dialog.getByRole('button', { name: 'Giao', exact: true }).click();
await dialog.waitFor({ state: 'detached' });
await page.getByLabel('Nội dung ghi chú').fill('Đã gọi điện cho Sở, xin gia hạn đến thứ Hai.');
await page.getByRole('button', { name: 'Thêm ghi chú' }).click();
await page.getByText('Đã gọi điện cho Sở').waitFor();
await rows.first().getByText('Thu · ').waitFor();
assert.deepEqual(await barriers(page), []);
await page.screenshot({ path: shot('xu-ly-thu') });
const letter = page.url();
await page.goto(`${origin}/work/open`);
await page.getByRole('heading', { name: 'Việc được giao' }).waitFor();
await page.waitForTimeout(800);
assert.deepEqual(await barriers(page), []);
await page.screenshot({ path: shot('viec-duoc-giao') });

const writer = await open({ width: 1366, height: 760 });
await signIn(writer.page, staff, '/mail');
await writer.page.getByRole('link', { name: /Việc được giao/ }).getByText('1').waitFor();
await writer.page.goto(letter);
await writer.page.getByRole('button', { name: /Xử lý thư/ }).click();
await writer.page.getByRole('button', { name: 'Bắt đầu xử lý' }).click();
await writer.page.getByRole('button', { name: 'Đã xử lý xong' }).waitFor();
await writer.page.getByRole('button', { name: 'Trả lời', exact: true }).first().click();
await writer.page.getByText('Thư sẽ được duyệt trước khi gửi (Điều 9).').waitFor();
await writer.page.waitForTimeout(1500);
await writer.page.screenshot({ path: shot('soan-thu') });

// Whoever opens the same letter meanwhile is told that it is being answered.
await page.goto(letter);
await page.getByText(`${staff.name} đang soạn thư trả lời.`).waitFor();

await page.goto(`${origin}/reviews`);
await page.getByRole('link', { name: /Báo cáo tuần 47/ }).first().click();
await page.getByRole('heading', { name: /Báo cáo tuần 47/ }).first().waitFor();
await page.waitForTimeout(1000);
await page.screenshot({ path: shot('duyet-thu') });
assert.deepEqual(faults, []);
await browser.close();
