// What is said of a letter that is being written: whether it is saved, and why something did not work.
import { t } from '../../locales/i18n.svelte';
import { words } from '../../state/session.svelte';
import { Refused } from './saving';

interface Writing {
  saving: string;
  savedAt: number | null;
}

/** One short sentence beside the title. */
export function saying({ saving, savedAt }: Writing): string {
  if (saving === 'saving') return t('composer.saving');
  if (saving === 'failed') return t('composer.notSavedYet');
  if (saving === 'dirty' || savedAt === null) return '';
  const time = new Intl.DateTimeFormat('vi', { hour: '2-digit', minute: '2-digit', hour12: false, timeZone: 'Asia/Ho_Chi_Minh' }).format(savedAt);
  return t('composer.savedAt', { time });
}

/** Why it is not saved: kept here meanwhile, or refused. */
saying.trouble = (trouble: unknown): string => (trouble instanceof Refused ? saying.failure(trouble) : t('composer.notSaved'));

/** Why something did not work: the server's sentence with its article, or ours. */
saying.failure = (error: unknown): string => {
  if (!(error instanceof Refused)) return words(error);
  if (error.type === 'noSender' || error.type === 'noDrafts') return t(`composer.${error.type}`);
  const sentence = error.description || t('problem.unknown');
  return error.article && !sentence.includes(error.article) ? `${sentence} (${error.article})` : sentence;
};
