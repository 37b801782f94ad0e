import { expect, it } from 'vitest';
import { Problem } from '../../api/client';
import { speak, t } from '../../locales/i18n.svelte';
import { Refused } from './saving';
import { saying } from './saying';

it('says when a letter was saved, in the office\'s time, and that it was not', () => {
  speak('vi');
  const at = Date.parse('2026-11-25T02:05:00Z');
  expect(saying({ saving: 'clean', savedAt: at })).toContain('09:05');
  expect(saying({ saving: 'clean', savedAt: null })).toBe('');
  expect(saying({ saving: 'failed', savedAt: at })).toBe(t('composer.notSavedYet'));
  expect(saying.trouble(new Problem(0, 'offline', ''))).toBe(t('composer.notSaved'));
  expect(saying.trouble(new Refused('overQuota', 'Hộp thư đã đầy.'))).toBe('Hộp thư đã đầy.');
});

it('gives the server\'s sentence with its article', () => {
  expect(saying.failure(new Refused('forbidden', 'Không được gửi.', 'Điều 9'))).toBe('Không được gửi. (Điều 9)');
  expect(saying.failure(new Refused('forbidden', 'Không được gửi (Điều 9).', 'Điều 9'))).toBe('Không được gửi (Điều 9).');
  expect(saying.failure(new Refused('noSender', ''))).toBe(t('composer.noSender'));
  expect(saying.failure(new Problem(0, 'offline', ''))).toBe(t('problem.offline'));
});
